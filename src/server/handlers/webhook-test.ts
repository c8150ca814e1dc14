import { addressOf } from '../../contract/paths.ts'
import type { Send } from '../../frame/send.ts'
import type { Endpoint } from '../endpoint.ts'
import type { Handler } from './handler.ts'

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
