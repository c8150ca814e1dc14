import { type Facts, reportAlone } from '../../src/recorder/facts.ts'

/** When the sessions of these tests begin. */
export const start = Date.parse('2026-11-20T09:00:00Z')

/** What is known of the world so many seconds later. */
export const factsAt = (seconds: number, more: Partial<Facts> = {}): Facts => ({
  ...reportAlone,
  at: start + 1_000 * seconds,
  agent: 'claude-code',
  ...more,
})
