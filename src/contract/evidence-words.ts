/** How the result of a check is known, in words; of evidence that only a newer server knows, its name. */
export const evidenceText = (evidence: 'self' | 'executed' | 'independent', by: string): string =>
  ({
    self: 'Claimed by its author',
    executed: "Seen by the author's recorder",
    independent: `Checked by ${by} (independent)`,
  })[evidence] ?? evidence
