import type pg from 'pg'
import { only } from '../db.ts'

/** Databases that speak PostgreSQL's protocol and are not PostgreSQL, by what `version()` says of them. */
const others: [pattern: RegExp, name: string][] = [
  [/CockroachDB/i, 'CockroachDB'],
  [/-YB-|Yugabyte/i, 'YugabyteDB'],
  [/Redshift/i, 'Amazon Redshift'],
  [/Greenplum/i, 'Greenplum'],
  [/CrateDB/i, 'CrateDB'],
  [/Materialize/i, 'Materialize'],
]

/** Throws when the server is not a PostgreSQL on which Conduct keeps its promises. */
export async function refuseOthers(client: pg.ClientBase): Promise<void> {
  const { version } = only((await client.query<{ version: string }>('select version() as version')).rows)
  const other = others.find(([pattern]) => pattern.test(version))?.[1]
  if (other) {
    throw new Error(
      `The database is ${other}. Conduct needs PostgreSQL: its locks, its notices (LISTEN) and its index of words differ elsewhere.`,
    )
  }
}
