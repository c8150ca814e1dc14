import { fromVersion4 } from './from-4.ts'
import { hookSessions, primaryKeys, verdict } from './later.ts'
import { latestOf, type Migration, type Schema } from './migration.ts'
import { newLedger } from './new-ledger.ts'

/** Version 15 and later. Append only: never edit a migration that has run anywhere, nor import code into it that may change. */
const migrations: Migration[] = [hookSessions, primaryKeys, verdict]

/** The version of the tables in `tables.ts`. */
export const firstVersion = 14

/** Released are version 4, by Conduct 0.1, and version 14. */
export const schema: Schema = {
  first: firstVersion,
  create: newLedger,
  earlier: { 4: fromVersion4 },
  later: migrations,
}

export const latestVersion = latestOf(schema)

/** The schema as it was at a version from the first one on. */
export const schemaAt = (version: number): Schema => ({ ...schema, later: migrations.slice(0, version - firstVersion) })

/** Why this Conduct cannot open a ledger with that version of the schema; undefined if it can. */
export function refusalOf(version: number, known: Schema = schema): string | undefined {
  const latest = latestOf(known)
  if (version > latest) return `this Conduct supports versions up to ${latest}: use a newer Conduct`
  if (version === 0 || version >= known.first || known.earlier[version]) return undefined
  return `no release of Conduct wrote it: restore a backup of a release, or upgrade it to version ${known.first} with the Conduct that wrote it or a later one`
}
