import type pg from 'pg'
import type { Sql } from 'sql-template-tag'
import type { Snapshot } from '../db.ts'
import { beginReads } from './connect.ts'
import { dialect } from './dialect.ts'
import { translate } from './errors.ts'

const begin = `${beginReads}; set local statement_timeout = 0;
  set local idle_in_transaction_session_timeout = 0; select 1`

/** A snapshot of the current state on that connection, which closes with it. Meanwhile, vacuum keeps old rows. */
export async function openSnapshot(client: pg.Client): Promise<Snapshot> {
  const told = (error: unknown): never => {
    throw translate(error)
  }
  await client.query(begin).catch(async (error) => {
    await client.end()
    told(error)
  })
  return {
    dialect,
    query: async <Row extends object>({ text, values }: Sql) =>
      (await client.query<Row>(text, values).catch(told)).rows as Row[],
    close: () => client.end(),
  }
}
