import type pg from 'pg'
import { translate } from './errors.ts'

/**
 * Vacuums every table of the ledger in turn, while others read and write. Then gathers statistics again, because they
 * contain common values.
 */
export async function scrub(connect: () => Promise<pg.Client>): Promise<void> {
  const client = await connect()
  try {
    await client.query('set statement_timeout = 0')
    const { rows } = await client.query<{ name: string }>(`select quote_ident(tablename) as name from pg_tables
      where schemaname = current_schema() order by tablename`)
    for (const { name } of rows) await client.query(`vacuum (analyze) ${name}`)
  } catch (error) {
    throw translate(error)
  } finally {
    await client.end()
  }
}
