import type { Run } from '../../../nouns/run/fields.ts'

type Ended = Pick<Run, 'endedAt' | 'createdAt'>

/** When a run ended; when it was created, if it has not. */
export const endOf = (run: Ended): string => run.endedAt ?? run.createdAt

/** Sorts the newest end first. Runs that ended at the same time keep their order. */
export const byEnd = (a: Ended, b: Ended): number => Date.parse(endOf(b)) - Date.parse(endOf(a))
