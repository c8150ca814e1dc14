import type { Dialect, Tx } from '../db.ts'

export type Progress = (done: number, of: number) => void

/**
 * A statement, or work on the rows of the version below that reports its progress. All steps of a version run in one
 * transaction.
 */
export type Step = string | ((tx: Tx, progress: Progress) => Promise<void>)

/**
 * An index, built while other servers write if the engine supports that. A version with indexes contains nothing else,
 * because it then runs outside a transaction: if it is interrupted, the next start builds its indexes again.
 */
export interface Index {
  index: string
  /** Table and columns: `runs (project_id, id)`. */
  on: string
}

/** Migrates the schema to the next version. */
export type Migration = (dialect: Dialect) => Step[] | Index[]

/** The ways to the newest version of the schema. */
export interface Schema {
  /** The version that a new ledger and the ledgers of `earlier` reach first. */
  first: number
  /** Creates a ledger of that version. */
  create: Migration
  /** Migrates the ledgers of earlier releases to that version. */
  earlier: Readonly<Record<number, Migration>>
  /** Each migrates to the next version, new and old ledgers alike. */
  later: readonly Migration[]
}

export const latestOf = ({ first, later }: Schema): number => first + later.length

export const isIndexes = (steps: Step[] | Index[]): steps is Index[] =>
  steps.length > 0 && steps.every((step) => typeof step === 'object')
