import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import sql from 'sql-template-tag'
import { type Ledger, testLedger } from './support/engines.ts'

testLedger('a list of checks follows the rarer one of name and result', async ({ client, store, engine, url }, t) => {
  await client.createRun({ runId: 'A' })
  for (const [name, result] of [
    ['tests', 'pass'],
    ['deploy', 'pass'],
    ['deploy', 'fail'],
    ['tests', 'warn'],
  ] as const) {
    await client.createCheck({ runId: 'A', name, result })
  }
  await store.db.tx((tx) =>
    tx.query(sql`insert into checks (project_id, check_id, run_id, name, result, work_version, created_by, updated_by,
      created_at, updated_at)
      with recursive n (n) as (select 1 union all select n + 1 from n where n < 600)
      select c.project_id, 'MANY-' || n, c.run_id, c.name, c.result, 1, c.created_by, c.updated_by, c.created_at, c.updated_at
      from n cross join checks c where c.check_id = 'CHECK-001'`),
  )
  const prepare = t.mock.method(DatabaseSync.prototype, 'prepare')
  const rare = await client.listChecks({ name: 'deploy', result: ['pass', 'warn'] })
  const common = await client.listChecks({ name: 'tests', result: ['warn', 'fail'], order: 'asc' })
  const ofRun = await client.listChecks({ name: 'deploy', result: ['fail'], runId: 'A' })
  const texts = prepare.mock.calls
    .map((call) => String(call.arguments[0]))
    .filter((text) => /from checks where/.test(text))
  prepare.mock.restore()
  assert.deepEqual(
    [rare, common, ofRun].map(({ checks }) => checks.map(({ checkId }) => checkId)),
    [['CHECK-002'], ['CHECK-004'], ['CHECK-003']],
  )
  if (engine.name !== 'sqlite') return
  const file = new DatabaseSync(url.slice('sqlite:'.length))
  t.after(() => file.close())
  const used = texts
    .filter((text) => /limit \d+$/.test(text.trim()) || /as walk$/.test(text.trim()))
    .flatMap((text) =>
      file
        .prepare(`explain query plan ${text}`)
        .all(...Array(text.split('?').length - 1).fill(0))
        .flatMap(({ detail }) => /checks USING INDEX (\w+)/.exec(String(detail))?.[1] ?? []),
    )
  assert.deepEqual(used, ['checks_by_name', 'checks_by_result', 'checks_by_result', 'checks_by_run'])
})

/** Adds 500 older checks like each that there is. */
const repeatChecks = ({ db }: Ledger['store']) =>
  db.tx((tx) =>
    tx.query(sql`insert into checks (project_id, check_id, run_id, name, result, work_version, created_by, updated_by,
      created_at, updated_at)
      with recursive n (n) as (select 1 union all select n + 1 from n where n < 500)
      select c.project_id, 'MANY-' || c.id || '-' || n, c.run_id, c.name, c.result, 1, c.created_by, c.updated_by,
        '2020-01-01T00:00:00.000Z', c.updated_at
      from n cross join checks c`),
  )

testLedger('a check of a commit is recorded on runs with many checks', async ({ client, store }) => {
  const commit = 'c'.repeat(40)
  for (const runId of ['A', 'B', 'C']) {
    await client.createRun({ runId, git: { commit, commits: [commit] }, changes: { files: 1 }, leaseSeconds: 3600 })
    await client.createCheck({ runId, name: 'tests', result: 'fail' })
  }
  await repeatChecks(store)
  const { checks } = await client.createCheck({ commit, name: 'tests', result: 'pass' })
  assert.deepEqual(
    checks.map(({ runId, current }) => [runId, current]),
    [
      ['C', true],
      ['B', true],
      ['A', true],
    ],
  )
})

testLedger('a list of checks of runs with many checks lets other requests in between', async ({ client, store }) => {
  const runs = 20
  for (let n = 1; n <= runs; n++) {
    await client.createRun({ runId: `R-${n}` })
    await client.createCheck({ runId: `R-${n}`, name: 'tests', result: 'pass' })
  }
  await repeatChecks(store)
  let turns = 0
  let isOver = false
  const count = () => {
    turns++
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  const { checks } = await client.listChecks({ limit: runs })
  isOver = true
  assert.equal(new Set(checks.map(({ runId }) => runId)).size, runs)
  assert.ok(checks.every(({ current }) => current))
  assert.ok(turns > runs / 3, `${turns} turns of the event loop`)
})
