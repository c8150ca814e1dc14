import type { HonoRequest } from 'hono'
import { parse } from 'hono/utils/cookie'
import { ConductError } from '../contract/error.ts'
import { cut } from '../contract/explain.ts'
import type { SessionSecrets } from '../contract/secret.ts'

/** Browsers share cookies between ports, so the name contains the port: two servers on one host keep separate sessions. */
export const cookieName = (url: string) => `conduct_session_${new URL(url).port || 'default'}`

/**
 * The header with which the page proves to be of the origin that logged in. The cookie alone does not: browsers send it to
 * every port of the host, so whatever listens there knows it.
 */
export const tokenHeader = 'X-Session-Token'

/** The session secret in the request's cookie, which counts only with the token. */
export function cookieOf(request: HonoRequest): string | undefined {
  const cookies = request.header('cookie')
  if (cookies === undefined) return undefined
  const name = cookieName(request.url)
  return parse(cookies, name)[name]
}

/** The secrets of the caller's session; undefined unless the request has both. */
export function sessionOf(request: HonoRequest): SessionSecrets | undefined {
  const [cookie, token] = [cookieOf(request), request.header(tokenHeader)]
  return cookie === undefined || token === undefined ? undefined : { cookie, token }
}

/** Throws FORBIDDEN unless the browser states that Conduct's own page sent the request. */
export function requireSameOrigin(request: HonoRequest): void {
  const site = request.header('sec-fetch-site')
  if (site === 'same-origin') return
  throw new ConductError(
    'FORBIDDEN',
    site === undefined
      ? 'A write with a session cookie needs Sec-Fetch-Site: same-origin, which browsers send over HTTPS and to localhost: open the page there, or send a key.'
      : `Only Conduct's own page may write with a session cookie; this request came from elsewhere (Sec-Fetch-Site: ${cut(site)}).`,
  )
}
