import { type Client, createClient } from '../../../client/client.ts'
import { base } from '../../app/router.ts'
import { ofBrowser } from '../browser/storage.ts'
import { learnTime } from './timing.ts'

const tokenName = `conduct.session ${base}`

/**
 * Keeps the token of a login in the storage of this origin, which no page of another port can read. All tabs use it. If the
 * browser stores nothing, it lasts as long as the page.
 */
export const keepToken = (token: string): void => ofBrowser.set(tokenName, token)

export const dropToken = (): void => ofBrowser.remove(tokenName)

/** Fetches as the session of this browser: with the token, beside the cookie that the browser adds. */
export async function fetchAsSession(request: Request): Promise<Response> {
  const token = ofBrowser.get(tokenName)
  if (token !== null) request.headers.set('x-session-token', token)
  return fetch(request)
}

let isAway = false
let report = (_isThere: boolean) => {}

/** Calls the listener when a request gets no response, and when one gets a response again. */
export function onReach(listener: (isThere: boolean) => void): void {
  report = listener
}

/** Fetches anything but the stream of events, which reports for itself. */
async function fetchServer(request: Request): Promise<Response> {
  const sentAt = Date.now()
  try {
    const response = await fetchAsSession(request)
    learnTime(response, sentAt)
    if (isAway) report(true)
    isAway = false
    return response
  } catch (error) {
    // Otherwise the page no longer wants the response.
    if (!(error instanceof Error && error.name === 'AbortError')) {
      isAway = true
      report(false)
    }
    throw error
  }
}

/** A client for all projects visible to the session. */
export const client = createClient({ url: base, fetch: fetchServer })

/** The same for calls before there is a page to show: rather than wait longer than 2 seconds, they fail. */
export const loginClient = createClient({ url: base, fetch: fetchServer, patience: 2 })

/** The same for what the page needs before it shows anything. */
export const firstClient = createClient({ url: base, fetch: fetchServer, patience: 2, attempts: 2, timeout: 5_000 })

const clients = new Map<string, Client>()

/** A client for one project. Ids are unique only within a project. */
export function clientOf(project: string): Client {
  const known = clients.get(project) ?? createClient({ url: base, fetch: fetchServer, project })
  clients.set(project, known)
  return known
}

const scriptOf = (page: Document) => page.querySelector('script[type=module]')?.getAttribute('src')

/** Whether the server has another page than this one, as after an update. Throws if it cannot tell. */
export async function isUpdated(): Promise<boolean> {
  const response = await fetch(base, { cache: 'no-cache' })
  if (!response.ok) throw new Error(`the page responded with ${response.status}`)
  const served = scriptOf(new DOMParser().parseFromString(await response.text(), 'text/html'))
  // A proxy may respond with a page of its own.
  return served?.startsWith('./assets/') === true && served !== scriptOf(document)
}
