import { ConductError } from '../../client/client.ts'
import { base } from './base.ts'
import { failureOf } from './read.ts'
import { doorClient } from './server.ts'

/** Whether the browser has a session. */
export const hasSession = (): Promise<boolean> =>
  doorClient.me().then(
    () => true,
    () => false,
  )

/** Checks that the browser sends the session cookie back. Throws UNAUTHORIZED with the reason if it does not. */
export async function requireCookie(): Promise<void> {
  try {
    await doorClient.me()
  } catch (error) {
    const failure = failureOf(error)
    throw failure.code === 'UNAUTHORIZED' ? new ConductError('UNAUTHORIZED', await reasonOf()) : failure
  }
}

/** Why the cookie did not come back: it has another path, or the browser does not store it. */
async function reasonOf(): Promise<string> {
  const here = new URL(base).pathname
  const there = await servedAt()
  if (there !== undefined && !here.startsWith(there)) {
    return `You are logged in, but at another path: this page is at ${here}, and the server believes to be at ${there}. A proxy rewrites the path. Set CONDUCT_BASE_PATH to ${here.replace(/\/$/, '') || '/'} and let the proxy keep the path.`
  }
  return `The server accepted the key, but the browser did not keep the session's cookie. Allow cookies for ${location.host}, and check that a proxy passes Set-Cookie on; then log in again.`
}

/** The base path that the server believes it has, from its API description; undefined if that cannot be read. */
async function servedAt(): Promise<string | undefined> {
  try {
    const { servers } = await (await fetch(`${base}openapi.json`)).json()
    return `${new URL(servers[0].url, location.href).pathname.replace(/\/$/, '')}/`
  } catch {
    return undefined
  }
}
