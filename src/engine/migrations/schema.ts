import type { SqlDialect, Tx } from '../db.ts'
import { attention } from './attention.ts'
import { fromVersion4 } from './from-4.ts'
import {
  agentVersion,
  clockLeaps,
  diffWords,
  everywhere,
  hookSessions,
  openTurns,
  primaryKeys,
  runFinders,
  runModels,
  touched,
  turnDiffs,
  uncommittedTrees,
  verdict,
  webhookFormat,
  wordsAgain,
} from './later.ts'
import { newLedger } from './new-ledger.ts'

export type ReportProgress = (done: number, of: number) => void

/**
 * A statement, or work on the rows of the version below that reports its progress. All steps of a version run in one
 * transaction.
 */
export type MigrationStep = string | ((tx: Tx, progress: ReportProgress) => Promise<void>)

/** Migrates the schema to the next version. */
export type Migration = (dialect: SqlDialect) => MigrationStep[]

/** The ways to the newest version of the schema. */
export interface SchemaVersions {
  /** The version that a new ledger and the ledgers of `earlier` reach first. */
  first: number
  /** Creates a ledger of that version. */
  create: Migration
  /** Migrates the ledgers of earlier releases to that version. */
  earlier: Readonly<Record<number, Migration>>
  /** Each migrates to the next version, new and old ledgers alike. */
  later: readonly Migration[]
}

export const latestOf = ({ first, later }: SchemaVersions): number => first + later.length

/** Version 15 and later. Append only: never edit a migration that has run anywhere, nor import code into it that may change. */
const migrations: Migration[] = [
  hookSessions,
  primaryKeys,
  verdict,
  runFinders,
  agentVersion,
  turnDiffs,
  openTurns,
  touched,
  webhookFormat,
  attention,
  diffWords,
  everywhere,
  wordsAgain,
  runModels,
  uncommittedTrees,
  clockLeaps,
]

/** The version of the tables in `tables.ts`. */
export const firstVersion = 14

/** Released are version 4, by Conduct 0.1, and version 14. */
export const schema: SchemaVersions = {
  first: firstVersion,
  create: newLedger,
  earlier: { 4: fromVersion4 },
  later: migrations,
}

export const latestVersion = latestOf(schema)

/** The schema as it was at a version from the first one on. */
export const schemaAt = (version: number): SchemaVersions => ({
  ...schema,
  later: migrations.slice(0, version - firstVersion),
})

/** Why this Conduct cannot open a ledger with that version of the schema; undefined if it can. */
export function refusalOf(version: number, known: SchemaVersions = schema): string | undefined {
  const latest = latestOf(known)
  if (version > latest) return `this Conduct supports versions up to ${latest}: use a newer Conduct`
  if (version === 0 || version >= known.first || known.earlier[version]) return undefined
  return `no release of Conduct wrote it: restore a backup of a release, or upgrade it to version ${known.first} with the Conduct that wrote it or a later one`
}
