import type { HonoRequest } from 'hono'
import { serialize } from 'hono/utils/cookie'
import { addressOf } from '../../contract/paths.ts'
import { newSession, sessionMs } from '../../contract/secret.ts'
import type { StoredResponse } from '../../frame/idempotency.ts'
import { operations } from '../../operations/operations.ts'
import { prefers } from '../answer.ts'
import type { Endpoint } from '../endpoint.ts'
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
