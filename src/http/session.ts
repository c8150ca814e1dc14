import type { HonoRequest } from 'hono'
import { parse, serialize } from 'hono/utils/cookie'
import { ConductError } from '../api/error.ts'
import { cut } from '../api/explain.ts'
import { newSessionSecret } from '../ledger/secret.ts'
import { sessionMs } from '../ledger/session.ts'
import type { Ctx } from '../store/ctx.ts'
import type { Kept } from '../store/idempotency.ts'

/** Cookies do not tell ports apart: with the port that the browser sees in its name, two servers of one host do not clash. */
const cookieName = (url: string) => `conduct_session_${new URL(url).port || 'default'}`

/** The secret in the session cookie that came with a request. */
export function sessionOf(request: HonoRequest): string | undefined {
  const cookies = request.header('cookie')
  if (cookies === undefined) return undefined
  const name = cookieName(request.url)
  return parse(cookies, name)[name]
}

/** Throws FORBIDDEN unless the browser says that the request comes from Conduct's own page. */
export function requireSameOrigin(request: HonoRequest): void {
  const site = request.header('sec-fetch-site')
  if (site === 'same-origin') return
  throw new ConductError(
    'FORBIDDEN',
    site === undefined
      ? 'A write with a session cookie needs Sec-Fetch-Site: same-origin, which browsers send over HTTPS and to localhost: open the page there, or send a key.'
      : `A write with a session cookie is taken from Conduct's own page only, and this comes from elsewhere (Sec-Fetch-Site: ${cut(site)}).`,
  )
}

/**
 * Runs an operation that begins or ends a session: hands it the session's secret, and sets or clears the cookie once it
 * has succeeded. Throws FORBIDDEN for a page of another origin.
 */
export async function carrySession(
  which: 'begins' | 'ends',
  request: HonoRequest,
  basePath: string,
  ctx: Ctx,
  work: (ctx: Ctx) => Promise<Kept>,
): Promise<Kept> {
  const session = which === 'begins' ? newSessionSecret() : sessionOf(request)
  // A login carries no cookie, and may come from something other than a browser.
  const isByCookie = which === 'ends' && session !== undefined
  if (isByCookie || request.header('sec-fetch-site') !== undefined) requireSameOrigin(request)
  const answer = await work({ ...ctx, session })
  const cookie = serialize(cookieName(request.url), which === 'begins' ? (session ?? '') : '', {
    path: basePath || '/',
    httpOnly: true,
    sameSite: 'Strict',
    secure: isSecure(request),
    maxAge: which === 'begins' ? sessionMs / 1000 : 0,
  })
  return { ...answer, headers: { ...answer.headers, 'set-cookie': cookie } }
}

/** Whether the page was loaded by HTTPS. Behind a proxy only the browser knows; it says so in Origin, which no page can forge. */
const isSecure = (request: HonoRequest) => (request.header('origin') ?? request.url).startsWith('https:')
