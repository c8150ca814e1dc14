import assert from 'node:assert/strict'
import sql from 'sql-template-tag'
import type { Db, Tx } from '../src/engine/db.ts'
import { migrate } from '../src/engine/migrations/migrate.ts'
import type { Migration, SchemaVersions } from '../src/engine/migrations/schema.ts'
import { openDb, testDb } from './support/db.ts'
import { testOn } from './support/engines.ts'

const silent = () => {}

/** A version that creates a table, one that fills it row by row, and one that creates an index. */
const versions: Migration[] = [
  ({ integer }) => [`create table t (k ${integer} primary key)`],
  () => [
    async (tx, progress) => {
      for (let k = 1; k <= 3; k++) {
        await tx.query(sql`insert into t (k) values (${k})`)
        progress(k, 3)
      }
    },
  ],
  () => ['create index t_by_k on t (k)'],
]

/** The schema whose first version is made by the first of these, with the others after it. */
const schemaOf = ([create, ...later]: Migration[]): SchemaVersions => ({
  first: 1,
  create: create as Migration,
  earlier: {},
  later,
})

const keys = async (db: Db) => (await db.query<{ k: number }>(sql`select k from t order by k`)).map(({ k }) => k)

testDb('processes that migrate at the same time apply each version once', async ({ db, another }) => {
  const dbs = [db, await another(), await another()]
  await Promise.all(dbs.map((one) => migrate(one, silent, schemaOf(versions))))
  assert.deepEqual(await Promise.all(dbs.map(keys)), [
    [1, 2, 3],
    [1, 2, 3],
    [1, 2, 3],
  ])
  const applied = await db.query(sql`select version from schema_versions order by version`)
  assert.deepEqual(
    applied.map((row) => ({ ...row })),
    [{ version: 1 }, { version: 2 }, { version: 3 }],
  )
})

testDb('a version that fails is rolled back whole, and applied by the next start', async ({ db }) => {
  const failing: Migration = () => ['insert into t (k) values (9)', () => Promise.reject(new Error('no'))]
  const [first, second, third] = versions as [Migration, Migration, Migration]
  await assert.rejects(migrate(db, silent, schemaOf([first, failing])), /no/)
  assert.deepEqual(await keys(db), [])
  await migrate(db, silent, schemaOf([first, second, third]))
  assert.deepEqual(await keys(db), [1, 2, 3])
})

testDb(
  'an upgrade of a populated database reports its versions, and creating a database reports nothing',
  async ({ db }) => {
    const said: string[] = []
    await migrate(db, (line) => said.push(line), schemaOf(versions.slice(0, 1)))
    assert.equal(said.length, 0)
    await migrate(db, (line) => said.push(line), schemaOf(versions))
    assert.deepEqual(said, ['Upgrading the database: version 2 of 3.', 'Upgrading the database: version 3 of 3.'])
  },
)

testDb('a process waits while another changes the schema, and is notified that it waits', async ({ db, another }) => {
  const { promise: holds, resolve: isHolding } = Promise.withResolvers<void>()
  const { promise: waits, resolve: isWaiting } = Promise.withResolvers<void>()
  const order: string[] = []
  const first = db.changeSchema(
    (own) =>
      own.tx(async () => {
        isHolding()
        await waits
        order.push('first')
      }),
    silent,
  )
  await holds
  const second = (await another()).changeSchema(
    (own) =>
      own.tx(async () => {
        order.push('second')
      }),
    isWaiting,
  )
  await Promise.all([first, second])
  assert.deepEqual(order, ['first', 'second'])
})

testOn('postgres', 'a version has no time limits, unlike other statements', async (postgres, t) => {
  const db = await openDb(await postgres.freshUrl(t))
  t.after(() => db.close())
  const limitsIn = (tx: Tx) =>
    tx.query(sql`select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock`)
  const found: object[] = []
  await migrate(db, silent, schemaOf([...versions, () => [async (tx) => void found.push(...(await limitsIn(tx)))]]))
  assert.deepEqual(found, [{ statement: '0', lock: '0' }])
  assert.notDeepEqual(await limitsIn(db), found)
})

testDb(
  'a database of an earlier release is brought to the first version, and one between them is refused',
  async ({ db }) => {
    const [create, fill] = versions as [Migration, Migration]
    const schema = { first: 3, create, earlier: { 1: fill }, later: [] }
    await migrate(db, silent, schemaOf([create]))
    const said: string[] = []
    await migrate(db, (line) => said.push(line), schema)
    assert.deepEqual([said, await keys(db)], [['Upgrading the database: version 3 of 3.'], [1, 2, 3]])
    const between = { ...schema, first: 5, earlier: {} }
    await assert.rejects(
      migrate(db, silent, between),
      /schema version 3, and no release of Conduct wrote it: restore .+ version 5/,
    )
  },
)
