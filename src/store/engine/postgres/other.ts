import type pg from 'pg'
import { only } from '../db.ts'

/** Databases that speak PostgreSQL's protocol but are not PostgreSQL, recognised by `version()`. */
const others: [pattern: RegExp, name: string][] = [
  [/CockroachDB/i, 'CockroachDB'],
  [/-YB-|Yugabyte/i, 'YugabyteDB'],
  [/Redshift/i, 'Amazon Redshift'],
  [/Greenplum/i, 'Greenplum'],
  [/CrateDB/i, 'CrateDB'],
  [/Materialize/i, 'Materialize'],
]

/** Throws if the server is not a PostgreSQL that lets Conduct keep its guarantees. */
export async function refuseOthers(client: pg.ClientBase): Promise<void> {
  const { version } = only((await client.query<{ version: string }>('select version() as version')).rows)
  const other = others.find(([pattern]) => pattern.test(version))?.[1]
  if (other) {
    throw new Error(
      `The database is ${other}. Conduct needs PostgreSQL, because locks, notifications (LISTEN) and full-text indexes differ elsewhere.`,
    )
  }
}
