import { addressOf } from '../../contract/paths.ts'
import { operations } from '../../operations/operations.ts'
import { prefers } from '../answer.ts'
import { createEndpoint, type Endpoint } from '../endpoint.ts'
import { parametersOf } from '../input.ts'
import type { Handler } from './handler.ts'

/** Serves the whole content of a run as a text file to clients that ask for text, with a line about each gap. */
export function contentHandler({ enter }: Pick<Endpoint<'readContent'>, 'enter'>, basePath: string): Handler {
  return {
    label: 'readContent',
    methods: ['GET'],
    paths: [basePath + addressOf('readContent').path],
    takes: (request) => prefers(request.header('accept'), 'text/plain'),
    async answer(exchange) {
      const caller = await enter(exchange)
      const { request } = exchange
      // A piece of a text file would not say where it ends.
      parametersOf(request.url, [])
      const { run } = await operations.getRun(caller, { runId: request.param('runId') ?? '' })
      const headers = {
        'content-type': 'text/plain; charset=utf-8',
        'content-disposition': `attachment; filename="${run.runId}.log"`,
      }
      return { status: 200, headers, body: run.content }
    },
  }
}

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
