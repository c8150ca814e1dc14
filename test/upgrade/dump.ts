import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { loadPostgres } from './dump-postgres.ts'
import { loadSqlite } from './dump-sqlite.ts'

export const folder = fileURLToPath(new URL('ledger/', import.meta.url))

/** Fills the empty database at that URL with the rows of a version, as the code of that version left them. */
export async function loadDump(url: string, version: number): Promise<void> {
  const path = /^sqlite:(.*)/.exec(url)?.[1]
  const dump = readFileSync(`${folder}v${version}.${path === undefined ? 'postgres' : 'sqlite'}.sql`, 'utf8')
  if (path === undefined) await loadPostgres(url, dump)
  else loadSqlite(path, dump)
}
