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

/** Encodings that store every character. SQL_ASCII stores the bytes of UTF-8 as they are. */
const encodings = ['UTF8', 'SQL_ASCII']

/** Throws if the server is not a PostgreSQL that lets Conduct keep its guarantees, or its database cannot store all text. */
export async function refuseOthers(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ version: string; encoding: string }>(
    `select version() as version, current_setting('server_encoding') as encoding`,
  )
  const { version, encoding } = only(rows)
  const other = others.find(([pattern]) => pattern.test(version))?.[1]
  if (other) {
    throw new Error(
      `The database is ${other}. Conduct needs PostgreSQL, because locks, notifications (LISTEN) and full-text indexes differ elsewhere.`,
    )
  }
  if (!encodings.includes(encoding)) {
    throw new Error(
      `The database has the encoding ${encoding}, which lacks characters. Conduct needs UTF8: create a database with createdb --template=template0 --encoding=UTF8, and move an existing ledger there with pg_dump and pg_restore.`,
    )
  }
}
