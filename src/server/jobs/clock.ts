import type { Job } from './scheduler.ts'

/** Warns once each time when the clock of the ledger begins to doubt. */
export function clockJob(doubt: () => string | undefined, warn: (error: Error) => void): Job {
  let isDoubted = false
  return {
    name: 'clock',
    everyMs: 1_000,
    async step() {
      const words = doubt()
      if (words !== undefined && !isDoubted) warn(new Error(words))
      isDoubted = words !== undefined
      return false
    },
  }
}
