import type pg from 'pg'
import type { Hosts } from './hosts.ts'
import { socketOf } from './statements.ts'

const lookEveryMs = 2_000

/**
 * Monitors the current host if the URL has others. A silent host would block its callers until their time limit.
 * Returns the function that ends this.
 */
export function guard(hosts: Hosts, warn: (error: Error) => void): () => void {
  if (hosts.count < 2) return () => {}
  let client: pg.Client | undefined
  let isLooking = false
  let isClosed = false

  async function look() {
    if (isLooking) return
    isLooking = true
    try {
      if (client) await hosts.check(client)
      else client = await hosts.connect({ application_name: 'conduct guard' })
      if (isClosed) leave()
    } catch (error) {
      const wasThere = client !== undefined
      leave()
      if (!isClosed) warn(error as Error)
      // Looks for another host at once.
      if (wasThere && !isClosed) setImmediate(() => void look())
    } finally {
      isLooking = false
    }
  }

  function leave() {
    if (client) socketOf(client).destroy()
    client = undefined
  }

  const timer = setInterval(() => void look(), lookEveryMs).unref()
  return () => {
    isClosed = true
    clearInterval(timer)
    leave()
  }
}
