import { addressOf } from '../../contract/paths.ts'
import { createEndpoint } from '../endpoint.ts'
import type { Handler } from './handler.ts'

/** Serves what an operation of the log answers in that field, as a text, unless Accept asks for JSON. */
export function noteHandler<N extends 'getCheckpoint' | 'getProof'>(
  name: N,
  field: string,
  parts: Parameters<typeof createEndpoint>[1],
): Handler {
  const endpoint = createEndpoint(name, parts)
  return {
    label: name,
    methods: ['GET'],
    paths: [parts.basePath + addressOf(name).path],
    takes: (request) => request.header('accept')?.includes('application/json') !== true,
    async answer(exchange) {
      const { status, headers, body } = await endpoint.answer(exchange)
      const text: string = JSON.parse(body)[field]
      return { status, headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' }, body: text }
    },
  }
}
