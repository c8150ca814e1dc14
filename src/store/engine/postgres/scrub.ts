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
    const { rows } = await client.query<{ name: string }>(`select quote_ident(relname) as name from pg_class
      where relkind = 'r' and relnamespace = current_schema()::regnamespace order by relname`)
    for (const { name } of rows) await client.query(`vacuum (analyze) ${name}`)
  } catch (error) {
    throw translate(error)
  } finally {
    await client.end()
  }
}
