import { addressOf } from '../../api/paths.ts'
import type { Store } from '../../store/open.ts'
import type { Endpoint } from '../endpoint.ts'
import type { Door } from './door.ts'

/**
 * Serves the erasing of texts. It takes many transactions, so an Idempotency-Key does not store the response: repeating
 * the request erases what is left.
 */
export function eraseDoor({ enter, read, perform }: Endpoint<'erase'>, basePath: string, { db }: Store): Door {
  return {
    label: 'erase',
    carries: 'erase',
    methods: ['POST'],
    paths: [basePath + addressOf('erase').path],
    async answer(exchange) {
      const caller = await enter(exchange)
      const { parsed } = await read(exchange)
      return perform({ ...caller, scrub: () => db.scrub() }, parsed, exchange)
    },
  }
}
