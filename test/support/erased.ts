import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import sql, { raw } from 'sql-template-tag'
import type { Client, Input } from '../../src/client/client.ts'
import type { Ledger } from './engines.ts'

/** Repeats the call until everything is erased, as the command does. */
export async function eraseAll(client: Client, input: Input<'erase'>) {
  let answer = await client.erase(input)
  while (answer.hasMore) answer = await client.erase({ ...input, cursor: answer.nextCursor })
  return answer.erased
}

/** Places that still contain a word: files of an SQLite ledger, or tables of PostgreSQL in any column. */
export async function placesOf({ url, engine, store }: Ledger, word: string): Promise<string[]> {
  if (engine.name === 'sqlite') {
    const folder = dirname(url.slice('sqlite:'.length))
    return readdirSync(folder).filter((name) => readFileSync(join(folder, name)).includes(word))
  }
  const tables = await store.db.query<{ name: string }>(
    sql`select relname as name from pg_class where relkind = 'r' and relnamespace = current_schema()::regnamespace`,
  )
  const places: string[] = []
  for (const { name } of tables) {
    const [found] = await store.db.query(
      sql`select 1 as one from ${raw(name)} t where position(${word} in t::text) > 0 limit 1`,
    )
    if (found) places.push(name)
  }
  return places
}
