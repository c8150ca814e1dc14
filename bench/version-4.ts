import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { hashOf, prefixOf } from '../src/contract/secret.ts'
import { loadPostgres } from '../test/upgrade/dump-postgres.ts'
import { loadSqlite } from '../test/upgrade/dump-sqlite.ts'
import { adminKey } from './servers.ts'

const dumpOf = (engine: string) =>
  readFileSync(new URL(`../test/upgrade/ledger/v4.${engine}.sql`, import.meta.url), 'utf8')

/** Everything but the default project is deleted, in the order of references. */
const emptied = [
  ...['sessions', 'login_codes', 'idempotency_keys', 'checks', 'run_authors', 'run_features', 'run_labels', 'runs'],
  ...['spec_versions', 'specs', 'features', 'document_parts', 'documents', 'events', 'counters', 'keys'],
  ...['search_entries', 'search_words', 'search_recent'],
]

const firstRows = [
  'delete from projects where id > 1',
  `insert into keys (id, name, prefix, hash, permissions, created_at) overriding system value
    values (1, 'first admin', '${prefixOf(adminKey)}', '${hashOf(adminKey)}', 'admin', '2025-01-01T00:00:00.000Z')`,
]

/** Creates an empty ledger of schema version 4, from the dump of the upgrade tests. */
export async function makeVersion4(url: string): Promise<void> {
  const deletes = emptied.map((table) => `delete from ${table}`)
  if (url.startsWith('sqlite:')) {
    const path = url.slice('sqlite:'.length)
    loadSqlite(path, dumpOf('sqlite'))
    const db = new DatabaseSync(path)
    const plain = firstRows.map((statement) => statement.replace('overriding system value', ''))
    for (const statement of [...deletes, 'delete from sqlite_sequence', ...plain]) db.exec(statement)
    db.close()
    return
  }
  await loadPostgres(url, dumpOf('postgres'))
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of [...deletes, ...firstRows, ...restarts]) await client.query(statement)
  } finally {
    await client.end()
  }
}

const numbered = ['documents', 'runs', 'features', 'events', 'specs', 'spec_versions', 'checks', 'search_entries']
const restarts = [
  ...numbered.map((table) => `alter table ${table} alter column id restart`),
  ...['projects', 'keys'].map((table) => `alter table ${table} alter column id restart with 2`),
]
