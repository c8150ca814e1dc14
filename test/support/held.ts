import type { Page, Request } from 'playwright-core'

interface Held {
  /** The first held request, once the server has answered it. */
  asked: Promise<Request>
  /** Delivers the held answers, and stops holding. */
  release(): Promise<void>
}

/**
 * Holds back the answers to the matching requests of a page: the server answers at once, but the page receives nothing
 * before `release`. With `most`, later requests pass.
 */
export async function hold(
  page: Page,
  isHeld: (request: Request) => boolean,
  most = Number.POSITIVE_INFINITY,
): Promise<Held> {
  const asked = Promise.withResolvers<Request>()
  const released = Promise.withResolvers<void>()
  let count = 0
  await page.route('**/v1/**', async (route) => {
    const request = route.request()
    if (!isHeld(request) || ++count > most) return route.fallback()
    try {
      // A request that the browser does not make itself does not say where it comes from.
      const headers = { ...(await request.allHeaders()), 'sec-fetch-site': 'same-origin' }
      const response = await route.fetch({ headers })
      asked.resolve(request)
      await released.promise
      await route.fulfill({ response })
    } catch {
      // The page is closed, or no longer wants it.
    }
  })
  return {
    asked: asked.promise,
    async release() {
      most = 0
      released.resolve()
    },
  }
}
