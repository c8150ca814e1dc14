import assert from 'node:assert/strict'
import sql from 'sql-template-tag'
import { type Db, DeadTransaction, type Tx, UniqueViolation } from '../src/engine/db.ts'
import { testDb } from './support/db.ts'

/** A test on every engine, with a table `t (k primary key, v)`. */
const testTable = (name: string, body: (db: Db, another: () => Promise<Db>) => Promise<void>) =>
  testDb(name, async ({ db, another }) => {
    await db.tx((tx) => tx.query(sql`create table t (k integer primary key, v text)`))
    await body(db, another)
  })

const insert = (db: Tx, k: number, v = 'x') => db.query(sql`insert into t (k, v) values (${k}, ${v})`)
const keys = async (db: Tx) => (await db.query<{ k: number }>(sql`select k from t order by k`)).map(({ k }) => k)

testTable('a transaction sees its own writes at once, others see them after the commit', async (db) => {
  let outside: number[] = []
  await db.tx(async (tx) => {
    await insert(tx, 1)
    assert.deepEqual(await keys(tx), [1])
  })
  outside = await keys(db)
  assert.deepEqual(outside, [1])
})

for (const [which, subjectOf] of [
  ['works', () => undefined],
  ['works of different subjects', (k: number) => `s${k}`],
  ['works of one subject', () => 's'],
] as const) {
  testTable(`${which} that fail leave nothing, and the others commit`, async (db) => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, k) =>
        db.tx(async (tx) => {
          if (k % 4 === 1) throw new Error(`no ${k}`)
          await insert(tx, k)
          if (k % 4 === 2) throw new Error(`no ${k}`)
          return k
        }, subjectOf(k)),
      ),
    )
    const passes = (k: number) => k % 4 === 0 || k % 4 === 3
    assert.deepEqual(
      outcomes.map((one) => (one.status === 'fulfilled' ? one.value : one.reason.message)),
      Array.from({ length: 20 }, (_, k) => (passes(k) ? k : `no ${k}`)),
    )
    assert.deepEqual(await keys(db), Array.from({ length: 20 }, (_, k) => k).filter(passes))
  })

  testTable(`${which} that violate a unique key fail alone`, async (db) => {
    await db.tx((tx) => insert(tx, 7))
    const outcomes = await Promise.allSettled([5, 6, 7, 8, 5].map((k) => db.tx((tx) => insert(tx, k), subjectOf(k))))
    const [one, ...others] = outcomes.map((one) => (one.status === 'fulfilled' ? 'done' : one.reason.constructor))
    // They are concurrent, so either 5 may be the first.
    assert.deepEqual(new Set([one, others.pop()]), new Set(['done', UniqueViolation]))
    assert.deepEqual(others, ['done', UniqueViolation, 'done'])
    assert.deepEqual(await keys(db), [5, 6, 7, 8])
  })
}

testTable('a violated unique key is an error, and ends its transaction even if the caller catches it', async (db) => {
  await db.tx((tx) => insert(tx, 1))
  await assert.rejects(
    db.tx((tx) => insert(tx, 1)),
    UniqueViolation,
  )
  const stubborn = db.tx(async (tx) => {
    await insert(tx, 2)
    await insert(tx, 1).catch(() => {})
    await assert.rejects(insert(tx, 3), DeadTransaction)
    return 'done'
  })
  await assert.rejects(stubborn, UniqueViolation)
  assert.deepEqual(await keys(db), [1])
})

testTable('a nested transaction joins the outer one, and a finished one is unusable', async (db) => {
  let kept: Tx | undefined
  await assert.rejects(
    db.tx(async (tx) => {
      kept = tx
      await tx.tx((inner) => insert(inner, 1))
      throw new Error('no')
    }),
    /no/,
  )
  assert.deepEqual(await keys(db), [])
  await assert.rejects(insert(kept as Tx, 2), DeadTransaction)
})

for (const subjects of [[undefined], ['one'], ['one', undefined]]) {
  testTable(`racing writers that lock their row lose no update (subjects ${subjects})`, async (db, another) => {
    const other = await another()
    await db.tx((tx) => insert(tx, 1, '0'))
    const add = (which: Db, subject: string | undefined) =>
      which.tx(async (tx) => {
        const [row] = await tx.query<{ v: string }>(sql`select v from t where k = 1 ${tx.dialect.forUpdate}`)
        await tx.query(sql`update t set v = ${String(Number(row?.v) + 1)} where k = 1`)
      }, subject)
    await Promise.all(Array.from({ length: 60 }, (_, n) => add(n % 2 ? db : other, subjects[n % subjects.length])))
    const [row] = await db.query<{ v: string }>(sql`select v from t where k = 1`)
    assert.equal(row?.v, '60')
  })
}

testTable('racing writers of many rows in any order lose no update', async (db, another) => {
  const dbs = [db, await another()]
  await db.tx((tx) => tx.query(sql`insert into t (k, v) values (1, '0'), (2, '0'), (3, '0'), (4, '0')`))
  const add = (which: Db, k: number) =>
    which.tx(async (tx) => {
      const [row] = await tx.query<{ v: string }>(sql`select v from t where k = ${k} ${tx.dialect.forUpdate}`)
      await tx.query(sql`update t set v = ${String(Number(row?.v) + 1)} where k = ${k}`)
    }, `row ${k}`)
  const turns = Array.from({ length: 160 }, (_, n) =>
    add(dbs[n % 2] as Db, n % 4 < 2 ? 1 + (n % 4) : 5 - ((n % 4) - 1)),
  )
  await Promise.all(turns)
  const rows = await db.query<{ v: string }>(sql`select v from t order by k`)
  assert.equal(
    rows.reduce((sum, { v }) => sum + Number(v), 0),
    160,
  )
})

testTable('values come back as they went in', async (db) => {
  const text = `'; drop table t; -- \u{1F680} \\ " $1 ?`
  await db.tx((tx) => insert(tx, 1, text))
  const [row] = await db.query<{ v: string; n: number; big: number }>(
    sql`select v, (select count(*) from t) as n, cast(${9007199254740991} as bigint) as big from t where v = ${text}`,
  )
  assert.deepEqual([row?.v, row?.n, Number(row?.big)], [text, 1, 9007199254740991])
})

testTable('a closing database accepts no more work, and finishes what it has', async (db, another) => {
  const other = await another()
  const last = other.tx((tx) => insert(tx, 1))
  const closing = other.close()
  await last
  await closing
  await assert.rejects(other.tx((tx) => insert(tx, 2)))
  assert.deepEqual(await keys(db), [1])
})

testTable('a closed database watches for nothing, so it does not keep the process alive', async (_db, another) => {
  const other = await another()
  await other.close()
  const before = process.getActiveResourcesInfo()
  const unwatch = other.watch(() => {})
  assert.deepEqual(process.getActiveResourcesInfo(), before)
  unwatch()
})

testTable('a write outside its transaction does not block other writers', async (db, another) => {
  const other = await another()
  const outcome = db.tx(async (tx) => {
    await tx.apart.query(sql`insert into t (k, v) values (1, 'x')`)
    throw new Error('no')
  })
  await assert.rejects(outcome, /no/)
  await other.tx((tx) => tx.query(sql`insert into t (k, v) values (2, 'y')`))
  assert.deepEqual(await keys(db), db.dialect.commitsInOrder ? [2] : [1, 2])
})
