import type { HonoRequest } from 'hono'
import { parse } from 'hono/utils/cookie'
import { ConductError } from '../api/error.ts'
import { cut } from '../api/explain.ts'

/** Cookies do not tell ports apart: with the port that the browser sees in its name, two servers of one host do not clash. */
export const cookieName = (url: string) => `conduct_session_${new URL(url).port || 'default'}`

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
