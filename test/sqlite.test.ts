import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readlinkSync, statSync, symlinkSync, watch } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import sql, { raw } from 'sql-template-tag'
import type { Db, Tx } from '../src/engine/db.ts'
import { isSafeVersion } from '../src/engine/sqlite/connect.ts'
import { openSqlite } from '../src/engine/sqlite.ts'
import { openStore } from '../src/operations/open.ts'
import { openLedger, sqlite } from './support/engines.ts'

async function openFile(t: TestContext): Promise<{ db: Db; path: string }> {
  const url = await sqlite.freshUrl(t)
  const path = (url as string).slice('sqlite:'.length)
  const db = openSqlite(path)
  t.after(() => db.close())
  await db.tx((tx) => tx.query(sql`create table t (k integer primary key, v text)`))
  return { db, path }
}

const insert = (db: Tx, k: number, v = 'x') => db.query(sql`insert into t (k, v) values (${k}, ${v})`)
const keys = async (db: Tx) => (await db.query<{ k: number }>(sql`select k from t order by k`)).map(({ k }) => k)

/** Where an open file of this process is. */
function linkOf(fd: string): string[] {
  try {
    return [readlinkSync(`/proc/self/fd/${fd}`)]
  } catch {
    return []
  }
}

const onLinux = { skip: process.platform !== 'linux' && 'it reads /proc' }
test('a migration puts its temporary files beside the ledger', onLinux, async (t) => {
  const { db, path } = await openFile(t)
  const folders = await db.changeSchema(
    async (own) => {
      await own.query(sql`create temp table large as with recursive n (i) as
        (select 1 union all select i + 1 from n where i < 20000) select hex(randomblob(200)) as v from n`)
      const files = readdirSync('/proc/self/fd').flatMap(linkOf)
      return files.filter((file) => basename(file).startsWith('etilqs_')).map(dirname)
    },
    () => {},
  )
  assert.deepEqual([...new Set(folders)], [dirname(path)])
})

test('works that take long together leave the event loop time in between, and keep their order', async (t) => {
  const { db } = await openFile(t)
  let turns = 0
  const count = setInterval(() => turns++, 0)
  t.after(() => clearInterval(count))
  const seen = await Promise.all(
    Array.from({ length: 20 }, (_, k) =>
      db.tx(async (tx) => {
        await insert(tx, k)
        const until = performance.now() + 10
        while (performance.now() < until);
        return turns
      }),
    ),
  )
  assert.ok(new Set(seen).size >= 5, seen.join(' '))
  assert.deepEqual(
    seen.toSorted((a, b) => a - b),
    seen,
  )
  assert.equal((await keys(db)).length, 20)
})

test('only their owner can access the file and its folder', async (t) => {
  const { path } = await openFile(t)
  const nested = `${path}-folder/deep/conduct.db`
  const db = openSqlite(nested)
  t.after(() => db.close())
  assert.equal(statSync(dirname(nested)).mode & 0o777, 0o700)
  for (const file of [nested, `${nested}-wal`]) assert.equal(statSync(file).mode & 0o777, 0o600, file)
})

test('a symbolic link leads to its file, also before that exists', async (t) => {
  const { path } = await openFile(t)
  const folder = dirname(path)
  const disk = join(folder, 'disk')
  mkdirSync(join(folder, 'links'))
  for (const [name, target] of [
    ['to-file', path],
    ['to-nothing', join(disk, 'new.db')],
    ['relative', '../disk/other.db'],
    ['to-link', 'relative'],
  ] as const) {
    const link = join(folder, 'links', name)
    symlinkSync(target, link)
    const store = await openStore(`sqlite:${link}`)
    t.after(() => store.close())
    assert.equal(store.newSecret !== undefined, name !== 'to-link', name)
    await store.db.tx((tx) => tx.query(sql`create table ${raw(`"${name}"`)} (k integer)`))
  }
  assert.deepEqual(readdirSync(join(folder, 'links')).sort(), ['relative', 'to-file', 'to-link', 'to-nothing'])
  assert.ok(readdirSync(folder).includes(`${basename(path)}-wal`))
  assert.equal(statSync(join(disk, 'new.db')).mode & 0o777, 0o600)
})

test('a disk that fills up during a batch fails the works that ran, and no others', async (t) => {
  const { db } = await openFile(t)
  await limitPages(db, 4)
  const big = 'x'.repeat(20_000)
  const sizes = ['small', 'small', big, 'small', 'small']
  const works = sizes.map((v, k) => db.tx((tx) => insert(tx, k, v)))
  const outcomes = (await Promise.allSettled(works)).map((one) => (one.status === 'fulfilled' ? 'ok' : one.reason.code))
  assert.equal(outcomes[2], 'INSUFFICIENT_STORAGE')
  await assert.rejects(works[2] ?? Promise.resolve(), /^ConductError: The disk is full: .* Repeat it once/)
  const there = await keys(db)
  assert.deepEqual(
    there,
    outcomes.flatMap((outcome, k) => (outcome === 'ok' ? [k] : [])),
    'what was answered is there, the rest is not',
  )
  assert.deepEqual(outcomes.slice(3), ['ok', 'ok'], 'works that had not begun go on')
  await limitPages(db, 100_000)
  await db.tx((tx) => insert(tx, 9, big))
})

/** SQLite's limit of pages stands in for a full disk: both cause SQLITE_FULL. */
async function limitPages(db: Db, n: number) {
  await db.tx((tx) => tx.query(raw(`pragma max_page_count = ${n}`)))
}

test('a work that awaits something else fails with a bug report, and the others continue', async (t) => {
  const { db } = await openFile(t)
  const late = Promise.withResolvers<unknown>()
  const foreign = db.tx(async (tx) => {
    await insert(tx, 1)
    await sleep(5)
    late.resolve(insert(tx, 2))
    await late.promise
  })
  const neighbour = db.tx((tx) => insert(tx, 3))
  await assert.rejects(foreign, /Bug: a transaction awaited something/)
  await neighbour
  await assert.rejects(late.promise, /transaction is over/)
  assert.deepEqual(await keys(db), [3])
})

test('a write waits for a file that another process has locked, without blocking the event loop', async (t) => {
  const { db, path } = await openFile(t)
  const holder = new DatabaseSync(path)
  t.after(() => holder.close())
  holder.exec('begin immediate')
  let isOver = false
  const waiting = db
    .tx((tx) => insert(tx, 1))
    .finally(() => {
      isOver = true
    })
  for (let turns = 0; turns < 6; turns++) await sleep(5)
  assert.ok(!isOver, 'the event loop went on')
  assert.deepEqual(await keys(db), [], 'reads are answered meanwhile')
  holder.exec('commit')
  await waiting
  assert.deepEqual(await keys(db), [1])
})

test('a commit that fails rejects its batch and keeps nothing of it, and the next one succeeds', async (t) => {
  const { db } = await openFile(t)
  await db.tx((tx) => tx.query(sql`create table child (k integer references t (k) deferrable initially deferred)`))
  const works = [
    db.tx((tx) => insert(tx, 1)),
    db.tx((tx) => tx.query(sql`insert into child (k) values (99)`)),
    db.tx((tx) => insert(tx, 2)),
  ]
  const [first, failing, last] = (await Promise.allSettled(works)).map(({ status }) => status === 'fulfilled')
  assert.equal(failing, false)
  // A machine that pauses can end a batch early, so the neighbours may succeed in another one.
  const there = [...(first ? [1] : []), ...(last ? [2] : [])]
  assert.deepEqual(await keys(db), there, 'what was answered is there, the rest is not')
  await db.tx((tx) => insert(tx, 3))
  assert.deepEqual(await keys(db), [...there, 3])
})

test('in memory, a read waits for the open transaction', async (t) => {
  const db = openSqlite(':memory:')
  t.after(() => db.close())
  await db.tx((tx) => tx.query(sql`create table t (k integer primary key, v text)`))
  const writing = db.tx(async (tx) => {
    await insert(tx, 1)
    throw new Error('no')
  })
  assert.deepEqual(await keys(db), [])
  await assert.rejects(writing, /no/)
})

test('versions of SQLite that can corrupt a WAL are refused', () => {
  const verdicts = [
    '3.53.4',
    '3.51.3',
    '3.51.2',
    '3.50.7',
    '3.50.6',
    '3.44.6',
    '3.44.5',
    '3.45.9',
    '3.7.0',
    '4.0.0',
  ].map(isSafeVersion)
  assert.deepEqual(verdicts, [true, true, false, true, false, true, false, false, false, true])
})

/** Resolves at the `count`th call of a watcher, with the function that stops it. */
const wakes = (db: Db, count = 1) =>
  new Promise<() => void>((resolve) => {
    const stop = db.watch(() => --count === 0 && resolve(stop))
  })

test('a commit by any process wakes the watchers at once', async (t) => {
  const { db, path } = await openFile(t)
  const other = openSqlite(path)
  t.after(() => other.close())
  const memory = openSqlite(':memory:')
  t.after(() => memory.close())
  await memory.tx((tx) => tx.query(sql`create table t (k integer primary key, v text)`))
  for (const [writer, reader] of [
    [db, db],
    [other, db],
    [memory, memory],
  ] as const) {
    let turns = 0
    const woken = wakes(reader)
    const count = setInterval(() => turns++, 20)
    await writer.tx((tx) => insert(tx, writer === db ? 1 : 2))
    ;(await woken)()
    clearInterval(count)
    assert.ok(turns < 10, `was woken after ${turns} turns of 20 ms`)
  }
})

test('a large write-ahead log is emptied once nobody writes', async (t) => {
  const { db, path } = await openFile(t)
  const reader = new DatabaseSync(path)
  t.after(() => reader.close())
  // SQLite cannot restart the log while a connection reads an earlier state.
  reader.exec('begin')
  reader.prepare('select count(*) from t').get()
  const megabyte = 'x'.repeat(1_000_000)
  for (let k = 0; k < 70; k++) await db.tx((tx) => insert(tx, k, megabyte))
  assert.ok(statSync(`${path}-wal`).size > 67_108_864)
  reader.exec('commit')
  while (statSync(`${path}-wal`).size > 0) await sleep(50)
  assert.equal((await keys(db)).length, 70)
})

test('the write-ahead log is checkpointed in the background, and stays short', async (t) => {
  const { db, path } = await openFile(t)
  const page = 'x'.repeat(4_000)
  let k = 0
  const writePages = (pages: number) =>
    db.tx(async (tx) => {
      for (const end = k + pages; k < end; k++) await insert(tx, k, page)
    })
  const size = (file: string) => statSync(file).size
  await writePages(3_000)
  const before = size(path)
  const asked = t.mock.method(Worker.prototype, 'postMessage', () => {})
  await writePages(2_000)
  assert.equal(size(path), before, 'the transaction itself has not written it')
  asked.mock.restore()
  for (const call of asked.mock.calls) (call.this as Worker).postMessage(call.arguments[0])
  const changes = watch(path)
  t.after(() => changes.close())
  while (size(path) < 5_000 * 4_096) await once(changes, 'change')
  const end = performance.now() + 20_000
  for (let n = 0; n < 100; n++) {
    await writePages(250)
    // Goes on writing meanwhile: a log that nobody writes to is emptied.
    for (; size(`${path}-wal`) > 70_000_000 && performance.now() < end; await writePages(1)) await sleep(20)
  }
  assert.ok(size(`${path}-wal`) < 80_000_000, `${size(`${path}-wal`)} bytes of log`)
  await db.close()
  assert.throws(() => size(`${path}-wal`), { code: 'ENOENT' }, 'no connection is left open')
  const file = new DatabaseSync(path)
  t.after(() => file.close())
  assert.deepEqual({ ...file.prepare('select count(*) as n from t').get() }, { n: k })
})

test('events of a type or a subject, and the timeline of a run, are found by their own index', async (t) => {
  const { url, client } = await openLedger(t, sqlite)
  const { run } = await client.createRun({ content: 'a' })
  await client.appendToRun({ runId: run.runId, text: 'b' })
  const prepare = t.mock.method(DatabaseSync.prototype, 'prepare')
  await client.listEvents({ type: ['run.created', 'run.updated'], project: ['default'] })
  await client.listEvents({ subject: run.runId, type: ['run.created'] })
  await client.listEvents({ subject: run.runId, project: ['default'] })
  await client.timeline({ runId: run.runId })
  const asked = prepare.mock.calls
    .map((call) => String(call.arguments[0]))
    .filter((text) => /from events e\b/.test(text))
  prepare.mock.restore()
  const file = new DatabaseSync(url.slice('sqlite:'.length))
  t.after(() => file.close())
  const plans = asked.map((text) => {
    const rows = file.prepare(`explain query plan ${text}`).all(...Array(text.split('?').length - 1).fill(0))
    return rows.map(({ detail }) => String(detail)).filter((detail) => /\be\b/.test(detail))
  })
  const used = plans.flat().map((detail) => /INDEX (\w+)/.exec(detail)?.[1])
  assert.deepEqual(new Set(used), new Set(['events_by_type', 'events_by_subject', 'events_of_project']))
  // Only appends of a project, which all have one type, are found by the project.
  assert.equal(used.filter((index) => index === 'events_of_project').length, 1, used.join(' '))
})

test('scrubbing waits for checkpoints that others run', async (t) => {
  const { db, path } = await openFile(t)
  await db.tx((tx) => insert(tx, 1, 'x'.repeat(10_000_000)))
  const thread = new Worker(
    `const db = new (require('node:sqlite').DatabaseSync)(require('node:worker_threads').workerData)
    const checkpoint = db.prepare('pragma wal_checkpoint(passive)')
    for (;;) checkpoint.get()`,
    { eval: true, workerData: path },
  )
  t.after(() => thread.terminate())
  await once(thread, 'online')
  for (let n = 0; n < 5; n++) await db.scrub()
  assert.equal(statSync(`${path}-wal`).size, 0)
})

test('giving back space continues after a kill at any moment', async (t) => {
  const { db, path } = await openFile(t)
  const page = 'x'.repeat(4_000)
  await db.tx(async (tx) => {
    for (let k = 0; k < 5_000; k++) await insert(tx, k, page)
  })
  // The rows that stay are all over the file.
  await db.tx((tx) => tx.query(sql`delete from t where k % 10 > 0`))
  await db.close()
  const before = statSync(path).size
  const engine = new URL('../src/engine/sqlite.ts', import.meta.url).href
  const work = `const { openSqlite } = await import('${engine}')
    const db = openSqlite(process.argv[1])
    for (let n = 1; await db.giveBack(); n++) {
      if (n % 8 > 0) continue
      process.stdout.write('.')
      await new Promise((resolve) => process.stdin.once('data', resolve))
    }
    await db.close()
    process.exit()`
  let kills = 0
  for (let isOver = false; !isOver; ) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', work, path], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const exit = once(child, 'exit')
    // It waits after each eighth piece, so that it does not finish before the kill, however slow this process is.
    await Promise.race([once(child.stdout, 'data'), exit])
    child.stdin.on('error', () => {})
    child.stdin.write('.')
    await sleep((3 * kills) % 8)
    child.kill('SIGKILL')
    const [code] = await exit
    isOver = code === 0
    if (!isOver) kills++
    const file = new DatabaseSync(path)
    assert.deepEqual({ ...file.prepare('pragma integrity_check').get() }, { integrity_check: 'ok' })
    assert.deepEqual(
      { ...file.prepare('select count(*) as n, sum(length(v)) as bytes from t').get() },
      { n: 500, bytes: 2_000_000 },
    )
    file.close()
  }
  assert.ok(kills > 1, `${kills} kills`)
  assert.ok(statSync(path).size < before / 5, `${statSync(path).size} of ${before} bytes`)
})
