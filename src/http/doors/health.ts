import type { Context } from 'hono'
import { ConductError } from '../../api/error.ts'
import { tryWrite } from '../../store/health.ts'
import type { Store } from '../../store/open.ts'

const tryEveryMs = 1000

/** Answers whether this server takes work: 200, or 503 while it stops or the database answers no write. */
export function createHealth(store: Store, draining: () => boolean) {
  let triedAt = Number.NEGATIVE_INFINITY
  let tried: Promise<string | undefined> = Promise.resolve(undefined)

  /** What keeps the database from taking a write; undefined where nothing does. */
  function obstacle(): Promise<string | undefined> {
    if (performance.now() - triedAt >= tryEveryMs) {
      triedAt = performance.now()
      tried = tryWrite(store).then(
        () => undefined,
        (error) => (error instanceof ConductError ? error.message : 'The database answers no write.'),
      )
    }
    return tried
  }

  return async (c: Context) => {
    if (draining()) return c.json({ status: 'stopping' }, 503, { 'retry-after': '1' })
    const status = await obstacle()
    return status === undefined ? c.json({ status: 'ok' }) : c.json({ status }, 503, { 'retry-after': '1' })
  }
}
