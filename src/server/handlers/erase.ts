import { addressOf } from '../../contract/paths.ts'
import type { Store } from '../../operations/open.ts'
import type { Endpoint } from '../endpoint.ts'
import type { Handler } from './handler.ts'

/**
 * Serves the erasing of texts, and retention. It takes many transactions, so an Idempotency-Key does not store the response:
 * repeating the request takes away what is left.
 */
export function erasingHandler<N extends 'erase' | 'forget'>(
  name: N,
  { enter, read, perform }: Endpoint<N>,
  basePath: string,
  { db }: Store,
): Handler {
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
