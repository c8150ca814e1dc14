import type { Dialect, Tx } from '../db.ts'

/**
 * One statement, or work on the rows of the version below, which reports how much of it is done. All steps of a version
 * run in one transaction.
 */
export type Step = string | ((tx: Tx, progress: (done: number, of: number) => void) => Promise<void>)

/**
 * An index, built while other servers write where the engine can do that. A version of indexes has nothing else, since it
 * runs in no transaction there: when it is cut off, the next start builds its indexes anew.
 */
export interface Index {
  index: string
  /** Table and columns: `runs (project_id, id)`. */
  on: string
}

/** Takes the schema one version up. */
export type Migration = (dialect: Dialect) => Step[] | Index[]

export const isIndexes = (steps: Step[] | Index[]): steps is Index[] =>
  steps.length > 0 && steps.every((step) => typeof step === 'object')
