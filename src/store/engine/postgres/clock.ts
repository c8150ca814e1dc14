import { settle } from './connect.ts'
import { translate } from './errors.ts'
import type { Pool } from './pool.ts'

/**
 * The clock of the database, shared by servers whose own clocks differ. It is read at intervals, and extrapolated in
 * between.
 */
export function databaseClock() {
  let offset = performance.timeOrigin
  return {
    now: () => offset + performance.now(),
    set(measured: number | undefined) {
      offset = measured ?? offset
    },
  }
}

/** Reads the clock. Throws UNAVAILABLE. A connection with an error is closed. */
export async function readClock(pool: Pool, clock: ReturnType<typeof databaseClock>) {
  const client = await pool.take()
  try {
    clock.set((await settle(client)).clock)
    pool.give(client)
  } catch (cause) {
    const error = translate(cause)
    pool.give(client, error, true)
    throw error
  }
}
