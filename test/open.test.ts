import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chownSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import sql, { raw } from 'sql-template-tag'
import { createClient } from '../src/client/client.ts'
import { localActor } from '../src/contract/actor.ts'
import { newSecret } from '../src/contract/secret.ts'
import { openSqlite } from '../src/engine/sqlite.ts'
import { openStore } from '../src/operations/open.ts'
import { createApp } from '../src/server/app.ts'
import { freshFolder, smallDisk } from './cli/folder.ts'
import { engines, testOn } from './support/engines.ts'
import { startWriter } from './support/writer.ts'

for (const engine of engines) {
  test(`five stores that open an empty database at the same time create one first key (${engine.name})`, async (t) => {
    const url = await engine.freshUrl(t)
    const stores = await Promise.all(Array.from({ length: 5 }, () => openStore(url)))
    t.after(() => Promise.all(stores.map((store) => store.close())))
    assert.equal(stores.filter(({ newSecret }) => newSecret !== undefined).length, 1)
    const [row] = await (stores[0] as (typeof stores)[0]).db.query<{ keys: number; projects: number }>(
      sql`select (select count(*) from keys) as keys, (select count(*) from projects) as projects`,
    )
    assert.deepEqual({ ...row }, { keys: 1, projects: 1 })
  })

  test(`a first admin key is created beside other keys, and not beside an admin key (${engine.name})`, async (t) => {
    const url = await engine.freshUrl(t)
    const opened = async (options: Parameters<typeof openStore>[1] = {}) => {
      const store = await openStore(url, options)
      t.after(() => store.close())
      return store
    }
    const local = createApp({ store: await opened({ firstKey: false }), actor: localActor })
    const client = createClient({ url: 'http://localhost/conduct', fetch: (request) => local.fetch(request) })
    // As the demo leaves a ledger, also when somebody looked at it.
    await client.createProject({ slug: 'shop' })
    await client.createKey({ name: 'ada', permissions: ['write'], project: null })
    await client.createKey({ name: 'boss', permissions: ['admin'], project: 'shop' })
    await client.createSession({ code: (await client.createLoginCode()).code })
    const first = await opened()
    assert.match(first.newSecret ?? '', /^sk_admin_/)
    assert.equal((await opened()).newSecret, undefined)
    const given = newSecret(['admin'])
    assert.equal((await opened({ adminKey: given })).ignoredAdminKey, true)
    assert.equal((await opened({ adminKey: first.newSecret })).ignoredAdminKey, false)
  })

  test(`a schema of a later version is refused with a message (${engine.name})`, async (t) => {
    const url = await engine.freshUrl(t)
    const store = await openStore(url)
    await store.db.tx((tx) => tx.query(sql`insert into schema_versions (version) values (99)`))
    await store.close()
    await assert.rejects(
      openStore(url),
      /schema version 99, and this Conduct supports versions up to \d+: use a newer Conduct/,
    )
  })
}

test('opening reports a file that is no database, and a server that cannot be reached', async () => {
  await assert.rejects(openStore('mysql://x'), /sqlite:FILE, sqlite::memory: or postgres/)
  await assert.rejects(openStore('postgres://a:b@127.0.0.1:1/x'), { code: 'UNAVAILABLE' })
})

test('opening a folder says so', (t) => {
  const folder = freshFolder(t)
  assert.throws(() => openSqlite(folder), { message: `${folder} is a folder: name a file in it` })
})

test('a ledger that root creates belongs to the owner of its folder', async (t) => {
  if (process.getuid?.() !== 0) return t.diagnostic('Only root may give files away.')
  const folder = freshFolder(t)
  chownSync(folder, 4711, 4712)
  const path = join(folder, 'conduct.db')
  const db = openSqlite(path)
  const { uid, gid, mode } = statSync(path)
  assert.deepEqual([uid, gid, mode & 0o777], [4711, 4712, 0o600])
  for (const end of ['-wal', '-shm']) assert.equal(statSync(path + end).uid, 4711, end)
  await db.close()
  // As in a container that drops this capability.
  const other = join(folder, 'other.db')
  const program = `(await import('../src/engine/sqlite.ts')).openSqlite(process.argv[1])`
  const limits = ['--bounding-set', '-chown', '--inh-caps', '-chown']
  const words = [...limits, process.execPath, '--input-type=module', '-e', program, other]
  const { status, stderr } = spawnSync('setpriv', words, { cwd: import.meta.dirname, encoding: 'utf8' })
  assert.deepEqual([status, stderr, statSync(other).uid], [0, '', 0])
})

test('a ledger on a full disk cannot be opened, and the error names the disk', async (t) => {
  const small = smallDisk(t, '512k')
  if (!small) return
  const path = join(small, 'conduct.db')
  await openSqlite(path).close()
  assert.throws(() => writeFileSync(join(small, 'filler'), Buffer.alloc(1_000_000)), { code: 'ENOSPC' })
  assert.throws(() => openSqlite(path), /^Error: The disk is full, and SQLite needs space beside the file$/)
})

testOn('postgres', 'servers use the clock of PostgreSQL', async (postgres, t) => {
  const store = await openStore(await postgres.freshUrl(t))
  t.after(() => store.close())
  assert.ok(Math.abs(Date.parse(store.now()) - Date.now()) < 1000)
})

testOn(
  'postgres',
  'a ledger in a schema is its own, whatever other schemas the search path names',
  async (postgres, t) => {
    const url = await postgres.freshUrl(t)
    const [, schema] = /search_path%3D(\w+)$/.exec(url) ?? []
    const production = await openStore(url)
    t.after(() => production.close())
    const indexes = async () => {
      const [row] = await production.db.query<{ indexes: number }>(
        sql`select count(*) as indexes from pg_indexes where schemaname = ${schema}`,
      )
      return row?.indexes
    }
    const before = await indexes()
    await production.db.tx((tx) => tx.query(raw(`create schema "${schema} Staging"`)))
    await production.db.tx((tx) =>
      tx.query(sql`insert into imports (id, ledger, line, crc32) values (1, 'other', 1, '')`),
    )

    const path = encodeURIComponent(`-c search_path="${schema}\\ Staging",${schema}`)
    const staging = await openStore(url.replace(/options=.*/, `options=${path}`))
    t.after(() => staging.close())
    assert.ok(staging.newSecret)
    await staging.db.scrub()
    const tables = (
      await staging.db.query<{ tables: number }>(
        sql`select count(*) as tables from pg_tables where schemaname = ${`${schema} Staging`}`,
      )
    )[0]
    assert.ok(Number(tables?.tables) > 10)
    assert.equal(await indexes(), before)
  },
)

testOn('sqlite', 'a new file is opened although another process is writing its first page', async (sqlite, t) => {
  const path = (await sqlite.freshUrl(t)).slice('sqlite:'.length)
  await startWriter(path)
  await openSqlite(path).close()
})
