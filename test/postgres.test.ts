import assert from 'node:assert/strict'
import { type AddressInfo, connect, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import sql, { raw } from 'sql-template-tag'
import type { Db } from '../src/engine/db.ts'
import { migrate } from '../src/engine/migrations/migrate.ts'
import { openPostgres } from '../src/engine/postgres.ts'
import { numberEvents, tidyNumbered } from '../src/log/number.ts'
import { engines, testOn, withLedger } from './support/engines.ts'
import { run } from './support/template.ts'

const freshUrl = async (t: TestContext) =>
  (await engines.find(({ name }) => name === 'postgres')?.freshUrl(t)) as string

async function open(t: TestContext): Promise<{ db: Db; url: string; warnings: string[] }> {
  const url = await freshUrl(t)
  const warnings: string[] = []
  const db = await openPostgres(url, ({ message }) => warnings.push(message))
  t.after(() => db.close())
  return { db, url, warnings }
}

test('repeated statements are prepared, however many others occur once', async (t) => {
  const { db } = await open(t)
  const prepared = async () =>
    (await db.query<{ statement: string }>(sql`select statement from pg_prepared_statements`)).map(
      (row) => row.statement,
    )
  const hot = sql`select ${1}::int as hot`
  // Each occurs twice, so it is prepared: too many for a connection to keep.
  for (let n = 0; n < 400; n++) {
    await db.query(sql`select ${n}::int as twice_${raw(String(n))}`)
    await db.query(sql`select ${n}::int as twice_${raw(String(n))}`)
    if (n % 50 === 0) await db.query(hot)
  }
  const kept = await prepared()
  assert.ok(kept.length > 200 && kept.length <= 300, `${kept.length} are kept`)
  assert.ok(kept.includes(hot.text))
  for (let n = 0; n < 1000; n++) await db.query(sql`select ${n}::int as once_${raw(String(n))}`)
  assert.deepEqual(
    (await prepared()).filter((text) => text.includes('once_')),
    [],
  )
})

test('watchers come and go without a warning, and commits of other servers wake them', async (t) => {
  const { db, url, warnings } = await open(t)
  for (let n = 0; n < 30; n++) {
    const stop = db.watch(() => {})
    if (n % 3 > 0) await sleep(n % 3)
    stop()
  }
  const other = await openPostgres(url, () => {})
  t.after(() => other.close())
  const woken = new Promise<void>((resolve) => {
    const stop = db.watch(() => {
      stop()
      resolve()
    })
  })
  await other.tx((tx) => tx.query(sql`select 1 as one`))
  await woken
  await sleep(100)
  assert.deepEqual(warnings, [])
})

test('limits are set on each connection, without startup parameters', async (t) => {
  const { db } = await open(t)
  const settings = () =>
    db.query(sql`select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
      current_setting('idle_in_transaction_session_timeout') as idle, current_setting('jit') as jit`)
  await settings()
  assert.deepEqual({ ...(await settings())[0] }, { statement: '25s', lock: '5s', idle: '3s', jit: 'off' })
})

for (const path of ['directly', 'through a pooler']) {
  test(`transactions are read committed, whatever the default of the database (${path})`, async (t) => {
    const given = `${await freshUrl(t)}%20-c%20default_transaction_isolation=serializable`
    const url = path === 'directly' ? given : await throughPooler(t, given)
    const db = await openPostgres(url, () => {})
    t.after(() => db.close())
    const level = (tx: Pick<Db, 'query'>) => tx.query(sql`select current_setting('transaction_isolation') as level`)
    const seen = await Promise.all([
      db.tx(level),
      db.tx(level, 'subject'),
      db.changeSchema((own) => own.tx(level), fail),
    ])
    if (path === 'directly') seen.push(await db.query(sql`select current_setting('transaction_isolation') as level`))
    assert.deepEqual(new Set(seen.map(([row]) => (row as { level: string }).level)), new Set(['read committed']))
  })
}

const fail = () => assert.fail('Nobody else changes the schema.')

/** The URL of a proxy that, like a pooler, reports another process id than the server's. */
async function throughPooler(t: TestContext, url: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const keyData = Buffer.of('K'.charCodeAt(0), 0, 0, 0, 12)
  const proxy = createServer((client) => {
    const server = connect(Number(port), hostname)
    server.on('data', (data) => {
      const at = data.indexOf(keyData)
      if (at >= 0) data.writeInt32BE(1, at + keyData.length)
      client.write(data)
    })
    client.pipe(server)
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => {})
      one.on('close', () => other.destroy())
    }
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  t.after(() => proxy.close())
  return url.replace(`:${port}/`, `:${(proxy.address() as AddressInfo).port}/`)
}

test('a database whose encoding lacks characters is refused with a message', async (t) => {
  const url = (await freshUrl(t)).replace(/\?.*/, '')
  const tryEncoding = async (encoding: string) => {
    const name = `encoded_${process.pid}_${encoding.toLowerCase()}`
    await run(url, `create database ${name} template template0 encoding '${encoding}' lc_collate 'C' lc_ctype 'C'`)
    const db = await openPostgres(url.replace(/[^/]*$/, name), () => {})
    await db.close()
  }
  await tryEncoding('SQL_ASCII')
  await assert.rejects(tryEncoding('LATIN1'), /encoding LATIN1.* Conduct needs UTF8.* createdb --template=template0/)
})

test('a transaction runs again after a conflict, also if a later statement is the first to report it', async (t) => {
  const { db } = await open(t)
  let attempts = 0
  await db.tx(async (tx) => {
    attempts++
    const first = tx.query(attempts === 1 ? sql`do 'begin raise sqlstate ''40001''; end'` : sql`select 1`)
    first.catch(() => {})
    await tx.query(sql`select 2`)
    await first
  })
  assert.equal(attempts, 2)
})

test('a transaction that is idle for too long loses its locks to others', async (t) => {
  const { db } = await open(t)
  await db.tx((tx) => tx.query(sql`create table t (k integer primary key, v integer)`))
  await db.tx((tx) => tx.query(sql`insert into t (k, v) values (1, 0), (2, 0)`))
  const { promise: holds, resolve: held } = Promise.withResolvers<void>()
  const idle = db.tx(async (tx) => {
    await tx.query(sql`update t set v = 9 where k = 1`)
    held()
    await sleep(4_500)
    await tx.query(sql`update t set v = 9 where k = 1`)
  })
  idle.catch(() => {})
  await holds
  const add = (k: number) => db.tx((tx) => tx.query(sql`update t set v = v + 1 where k = ${k}`), `row ${k}`)
  const order: string[] = []
  await Promise.all([
    add(1).then(() => order.push('locked')),
    add(2).then(() => order.push('free')),
    add(2).then(() => order.push('free')),
  ])
  assert.deepEqual(order, ['free', 'free', 'locked'])
  await assert.rejects(idle, { code: 'UNAVAILABLE' })
  assert.deepEqual(
    (await db.query(sql`select v from t order by k`)).map((row) => ({ ...row })),
    [{ v: 1 }, { v: 2 }],
  )
})

test('the space of numbered events is reused', async (t) => {
  const { db } = await open(t)
  await migrate(db)
  const append = sql`insert into pending_events (subject_id, actor_id, type, subject, at, changes)
    select n, -1, 'run.updated', 'LOG', '2026-01-31T09:30:00.000Z', '{}' from generate_series(1, 1500) as n`
  const pages = async () => {
    const [row] = await db.query<{ pages: number }>(sql`select pg_relation_size('pending_events') / 8192 as pages`)
    return row?.pages ?? 0
  }
  const uncounted = async () => {
    const [row] = await db.query<{ events: number }>(
      sql`select pg_stat_get_ins_since_vacuum('pending_events'::regclass) as events`,
    )
    return row?.events
  }
  const cycle = async () => {
    await db.tx(async (tx) => {
      await tx.query(append)
      await tx.query(sql`select pg_stat_force_next_flush() is null as told`)
    })
    await numberEvents(db)
    // A session reports its statistics after it has reported the end of its transaction.
    while ((await uncounted()) !== 1500) await turn()
    await tidyNumbered(db)
    assert.equal(await uncounted(), 0)
    return pages()
  }
  const first = await cycle()
  for (let n = 0; n < 3; n++) assert.ok((await cycle()) <= first * 1.5, `${first} pages at first`)
  const [log] = await db.query(sql`select count(*) as events, max(seq) as last from events`)
  assert.deepEqual(log, { events: 6000, last: 6000 })
})

testOn('postgres', 'a publication for all tables stops no write', async (postgres) => {
  await withLedger(postgres, async ({ url, client }) => {
    await run(url, 'create publication everything for all tables')
    await client.createRun({ runId: 'R', status: 'in_progress', content: 'first\n' })
    for (let n = 0; n < 3; n++) await client.appendToRun({ runId: 'R', text: `line ${n}\n` })
    await client.updateRun({ runId: 'R', content: 'other' })
    await client.appendTurn({ runId: 'R', prompt: 'Do it.', answer: 'Done.' })
    await client.erase({ runId: 'R' })
    await client.deleteRun({ runId: 'R' })
  })
})
