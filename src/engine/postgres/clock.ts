import { driftMs } from '../drift.ts'
import { settle } from './connect.ts'
import { translate } from './errors.ts'
import type { Pool } from './pool.ts'

/**
 * The clock of the database, shared by servers whose own clocks differ. It is read at intervals, and extrapolated in
 * between.
 */
export function databaseClock() {
  let offset = performance.timeOrigin
  let leaptAt = Number.NEGATIVE_INFINITY
  return {
    now: () => offset + performance.now(),
    set(measured: number | undefined) {
      if (measured !== undefined && Math.abs(measured - offset) > driftMs) leaptAt = performance.now()
      offset = measured ?? offset
    },
    /** Whether the clock leapt within the last minute: it may return at any moment. */
    hasLeapt: () => performance.now() - leaptAt < 60_000,
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
