import { base } from './base.ts'
import { ofBrowser } from './storage.ts'

const place = `conduct.session ${base}`

/**
 * Keeps the token of a login in the storage of this origin, which no page of another port can read. All tabs use it. If the
 * browser stores nothing, it lasts as long as the page.
 */
export const keepToken = (token: string): void => ofBrowser.set(place, token)

export const dropToken = (): void => ofBrowser.remove(place)

/** Fetches as the session of this browser: with the token, beside the cookie that the browser adds. */
export async function fetchAsSession(request: Request): Promise<Response> {
  const token = ofBrowser.get(place)
  if (token !== null) request.headers.set('x-session-token', token)
  return fetch(request)
}
