import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { latestVersion, schema } from '../../src/engine/migrations/schema.ts'
import { requireShape } from '../../src/engine/sqlite/shape.ts'
import { openStore } from '../../src/operations/open.ts'
import { readRows } from '../proof/database.ts'
import { type Engine, engines, testLedger, testOn } from '../support/engines.ts'
import { loadPostgres, schemaOfPostgres } from './dump-postgres.ts'
import { loadSqlite } from './dump-sqlite.ts'

// An upgraded ledger has the same tables, columns, keys and indexes as a new one.

const pathOf = (url: string) => url.slice('sqlite:'.length)

/** SQLite stores the text of each statement; only its spaces and quotes may differ. */
function schemaOfSqlite(url: string): string[] {
  const db = new DatabaseSync(pathOf(url), { readOnly: true })
  const rows = db.prepare('select type, name, tbl_name, sql from sqlite_schema').all()
  db.close()
  const plain = (text: unknown) =>
    String(text).toLowerCase().replace(/\s+/g, ' ').replaceAll('"run_writers"', 'run_writers')
  return rows.map(({ type, name, tbl_name, sql }) => `${type} ${name} ${tbl_name} ${plain(sql)}`).sort()
}

async function schemaOf({ name }: Engine, url: string): Promise<string[]> {
  await (await openStore(url, { firstKey: false })).close()
  return name === 'sqlite' ? schemaOfSqlite(url) : schemaOfPostgres(url)
}

for (const engine of engines) {
  for (const version of [...Object.keys(schema.earlier), schema.first]) {
    test(`a ledger upgraded from version ${version} has the schema of a new one (${engine.name})`, async (t) => {
      const [upgraded, fresh] = [await engine.freshUrl(t), await engine.freshUrl(t)]
      const dump = readFileSync(new URL(`ledger/v${version}.${engine.name}.sql`, import.meta.url), 'utf8')
      if (engine.name === 'sqlite') loadSqlite(pathOf(upgraded), dump)
      else await loadPostgres(upgraded, dump)
      assert.deepEqual(await schemaOf(engine, upgraded), await schemaOf(engine, fresh))
    })
  }
}

const withoutKey: Record<Engine['name'], string> = {
  // A unique index whose columns are never null is as good.
  sqlite: `select t.name from pragma_table_list t where t.schema = 'main' and t.type = 'table'
    and t.name not like 'sqlite\\_%' escape '\\'
    and not exists (select 1 from pragma_table_info(t.name) c where c.pk > 0)
    and not exists (select 1 from pragma_index_list(t.name) i where i."unique" = 1 and i.partial = 0 and not exists (
      select 1 from pragma_index_info(i.name) k join pragma_table_info(t.name) c on c.cid = k.cid where c."notnull" = 0))`,
  postgres: `select relname as name from pg_class where relnamespace = current_schema()::regnamespace and relkind = 'r'
    and not exists (select from pg_index where indrelid = pg_class.oid and indisprimary)`,
}

testLedger('every table has a primary key', async ({ engine, url }) => {
  assert.deepEqual(await readRows(url, withoutKey[engine.name]), [])
})

testOn('sqlite', 'a backup of every release may be restored, and none with a trigger', async (sqlite, t) => {
  for (const version of [...Object.keys(schema.earlier).map(Number), schema.first]) {
    const url = await sqlite.freshUrl(t)
    loadSqlite(pathOf(url), readFileSync(new URL(`ledger/v${version}.sqlite.sql`, import.meta.url), 'utf8'))
    await requireShape(pathOf(url), version, 'file')
    await (await openStore(url, { firstKey: false })).close()
    await requireShape(pathOf(url), latestVersion, 'file')
    const old = await sqlite.freshUrl(t)
    loadSqlite(pathOf(old), readFileSync(new URL(`ledger/v${version}.sqlite.sql`, import.meta.url), 'utf8'))
    const db = new DatabaseSync(pathOf(old))
    db.exec('create trigger t after insert on keys begin delete from events; end')
    db.close()
    await assert.rejects(requireShape(pathOf(old), version, 'file'), /it has the trigger t, which no ledger has/)
  }
})
