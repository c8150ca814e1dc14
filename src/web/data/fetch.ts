import { learnTime } from './server-time.ts'
import { fetchAsSession } from './token.ts'

let isAway = false
let report = (_isThere: boolean) => {}

/** Calls the listener when a request gets no response, and when one gets a response again. */
export function onReach(listener: (isThere: boolean) => void): void {
  report = listener
}

/** Fetches anything but the stream of events, which reports for itself. */
export async function fetchServer(request: Request): Promise<Response> {
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
