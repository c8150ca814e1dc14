import { addressOf } from '../../contract/paths.ts'
import type { Send } from '../../frame/send.ts'
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

/**
 * Sends a test message to a webhook. The network is awaited outside any transaction, so an Idempotency-Key does not keep
 * the answer: each request sends a test.
 */
export function webhookTestHandler(
  { enter, read, perform }: Endpoint<'testWebhook'>,
  basePath: string,
  send: Send,
): Handler {
  return {
    label: 'testWebhook',
    carries: 'testWebhook',
    methods: ['POST'],
    paths: [basePath + addressOf('testWebhook').path],
    async answer(exchange) {
      const caller = await enter(exchange)
      const { parsed } = await read(exchange)
      return perform({ ...caller, send }, parsed, exchange)
    },
  }
}
