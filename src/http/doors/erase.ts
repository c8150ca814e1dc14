import { addressOf } from '../../api/paths.ts'
import type { Store } from '../../store/open.ts'
import type { Endpoint } from '../endpoint.ts'
import type { Door } from './door.ts'

/**
 * Serves the erasing of texts, and retention. It takes many transactions, so an Idempotency-Key does not store the response:
 * repeating the request takes away what is left.
 */
export function erasingDoor<N extends 'erase' | 'forget'>(
  name: N,
  { enter, read, perform }: Endpoint<N>,
  basePath: string,
  { db }: Store,
): Door {
  return {
    label: name,
    carries: name,
    methods: ['POST'],
    paths: [basePath + addressOf(name).path],
    async answer(exchange) {
      const caller = await enter(exchange)
      const { parsed } = await read(exchange)
      return perform({ ...caller, scrub: () => db.scrub() }, parsed, exchange)
    },
  }
}
