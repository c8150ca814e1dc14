import type { HonoRequest } from 'hono'
import { serialize } from 'hono/utils/cookie'
import { addressOf } from '../../contract/paths.ts'
import { newSession, sessionMs } from '../../contract/secret.ts'
import type { Send } from '../../frame/ctx.ts'
import type { StoredResponse } from '../../frame/idempotency.ts'
import { patchOf } from '../../nouns/run/diff/text.ts'
import type { Store } from '../../operations/open.ts'
import { operations } from '../../operations/operations.ts'
import type { Output } from '../../operations/routes.ts'
import { prefers } from '../answer.ts'
import { createEndpoint, type Endpoint } from '../endpoint.ts'
import { cookieName, requireSameOrigin, sessionOf } from '../exchange.ts'
import { parametersOf } from '../input.ts'
import type { Handler, ResponseParts } from './handler.ts'

/** The most bytes of a body from an unknown caller: enough for a key or a login code. */
const bodyLimit = 1024

/** Logs a browser in: begins a session and sets one of its secrets as a cookie. */
export function loginHandler({ read, perform, asAnyone }: Endpoint<'createSession'>, basePath: string): Handler {
  return {
    label: 'createSession',
    carries: 'createSession',
    methods: ['POST'],
    paths: [basePath + addressOf('createSession').path],
    async answer(exchange) {
      exchange.isLogin = true
      const { request } = exchange
      // Programs, which send no Sec-Fetch-Site, may log in too.
      if (request.header('sec-fetch-site') !== undefined) requireSameOrigin(request)
      const { parsed } = await read(exchange, bodyLimit)
      const session = newSession()
      const made = await perform({ ...(await asAnyone(exchange)), session }, parsed, exchange)
      return withCookie(made, request, basePath, session.cookie, sessionMs / 1000)
    },
  }
}

/** Logs a browser out: ends the session and clears the cookie. */
export function logoutHandler({ read, perform, asAnyone }: Endpoint<'deleteSession'>, basePath: string): Handler {
  return {
    label: 'deleteSession',
    carries: 'deleteSession',
    methods: ['DELETE'],
    paths: [basePath + addressOf('deleteSession').path],
    async answer(exchange) {
      const { request } = exchange
      const session = sessionOf(request)
      if (session !== undefined || request.header('sec-fetch-site') !== undefined) requireSameOrigin(request)
      const { parsed } = await read(exchange, bodyLimit)
      const ended = await perform({ ...(await asAnyone(exchange)), session }, parsed, exchange)
      return withCookie(ended, request, basePath, '', 0)
    },
  }
}

function withCookie(
  answer: StoredResponse,
  request: HonoRequest,
  basePath: string,
  value: string,
  maxAge: number,
): ResponseParts {
  const attributes = {
    path: basePath || '/',
    httpOnly: true,
    sameSite: 'Strict',
    secure: isSecure(request),
    maxAge,
  } as const
  const cookie = serialize(cookieName(request.url), value, attributes)
  return { ...answer, headers: { ...answer.headers, 'set-cookie': cookie } }
}

/** Whether the page was loaded over HTTPS. Behind a proxy only the browser knows: it sends Origin, which no page can forge. */
const isSecure = (request: HonoRequest) => (request.header('origin') ?? request.url).startsWith('https:')

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
    takes: (request) => !prefers(request.header('accept'), 'application/json'),
    async answer(exchange) {
      const { status, headers, body } = await endpoint.answer(exchange)
      const text: string = JSON.parse(body)[field]
      return { status, headers: { ...headers, 'content-type': 'text/plain; charset=utf-8' }, body: text }
    },
  }
}

/** Serves a page of diffs as a unified diff to clients that ask for one. */
export function diffHandler(parts: Parameters<typeof createEndpoint>[1]): Handler {
  const endpoint = createEndpoint('getDiff', parts)
  return {
    label: 'getDiff',
    methods: ['GET'],
    paths: [parts.basePath + addressOf('getDiff').path],
    takes: (request) => prefers(request.header('accept'), 'text/x-diff'),
    async answer(exchange) {
      const { status, headers, body } = await endpoint.answer(exchange)
      const { files }: Output<'getDiff'> = JSON.parse(body)
      const text = files.map((file) => patchOf(file)).join('')
      return { status, headers: { ...headers, 'content-type': 'text/x-diff; charset=utf-8' }, body: text }
    },
  }
}

/**
 * Serves the erasing of texts, and retention. It takes many transactions, so an Idempotency-Key does not store the response:
 * repeating the request takes away what is left.
 */
export function erasingHandler<N extends 'erase' | 'forget'>(
  name: N,
  { receive, perform }: Endpoint<N>,
  basePath: string,
  { db }: Store,
): Handler {
  return {
    label: name,
    carries: name,
    methods: ['POST'],
    paths: [basePath + addressOf(name).path],
    async answer(exchange) {
      const { caller, parsed } = await receive(exchange)
      return perform({ ...caller, scrub: () => db.scrub() }, parsed, exchange)
    },
  }
}

/**
 * Sends a test message to a webhook. The network is awaited outside any transaction, so an Idempotency-Key does not keep
 * the answer: each request sends a test.
 */
export function webhookTestHandler(
  { receive, perform }: Endpoint<'testWebhook'>,
  basePath: string,
  send: Send,
): Handler {
  return {
    label: 'testWebhook',
    carries: 'testWebhook',
    methods: ['POST'],
    paths: [basePath + addressOf('testWebhook').path],
    async answer(exchange) {
      const { caller, parsed } = await receive(exchange)
      return perform({ ...caller, send }, parsed, exchange)
    },
  }
}
