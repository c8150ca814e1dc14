import { createClock } from '../../../ledger/clock.ts'
import { settle } from './connect.ts'
import type { Pool } from './pool.ts'

/**
 * The clock of the database, shared by servers whose own clocks differ. It is read at intervals, and extrapolated in
 * between.
 */
export function databaseClock() {
  let offset = performance.timeOrigin
  return {
    now: createClock({ wall: () => offset + performance.now() }),
    set(measured: number | undefined) {
      offset = measured ?? offset
    },
  }
}

/** Reads the clock. Throws UNAVAILABLE. */
export async function readClock(pool: Pool, clock: ReturnType<typeof databaseClock>) {
  const client = await pool.take()
  try {
    clock.set((await settle(client)).clock)
  } finally {
    pool.give(client)
  }
}
