import type { Evidence } from '../ledger/evidence.ts'

/** How the result of a check is known, in words. */
export const evidenceText = (evidence: Evidence, by: string): string =>
  ({
    self: 'Claimed by its author',
    executed: "Seen by the author's recorder",
    independent: `Checked by ${by} (independent)`,
  })[evidence]
