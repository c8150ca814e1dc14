import type { Context } from 'hono'
import { tryWrite } from '../../store/health.ts'
import type { Store } from '../../store/open.ts'

const tryEveryMs = 1000

/** Answers whether this server takes work: 200, or 503 while it stops or the database answers no write. */
export function createHealth(store: Store, draining: () => boolean) {
  let triedAt = Number.NEGATIVE_INFINITY
  let tried: Promise<boolean> = Promise.resolve(false)

  function databaseWrites(): Promise<boolean> {
    if (performance.now() - triedAt >= tryEveryMs) {
      triedAt = performance.now()
      tried = tryWrite(store).then(
        () => true,
        () => false,
      )
    }
    return tried
  }

  return async (c: Context) => {
    if (draining()) return c.json({ status: 'stopping' }, 503, { 'retry-after': '1' })
    if (await databaseWrites()) return c.json({ status: 'ok' })
    return c.json({ status: 'the database answers no write' }, 503, { 'retry-after': '1' })
  }
}
