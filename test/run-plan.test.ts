import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql, { join, raw } from 'sql-template-tag'
import { type Engine, engines, openLedger } from './support/engines.ts'

test('PostgreSQL walks along one index for a page of runs with two filters', async (t) => {
  const { client, store } = await openLedger(t, engines[1] as Engine)
  const many = 10_000
  await client.createRun({ runId: 'A', agent: 'x', labels: { team: 'web' }, git: { branch: 'main' }, content: 'x' })
  await client.linkFeatures({ runId: 'A', featureIds: [5] })
  const fill = async (table: string, own: Record<string, string>) => {
    const columns = await store.db.query<{
      name: string
    }>(sql`select column_name as name from information_schema.columns
      where table_schema = current_schema() and table_name = ${table} and column_name <> 'id' order by ordinal_position`)
    const values = columns.map(({ name }) => raw(own[name] ?? `t.${name}`))
    await store.db.tx((tx) =>
      tx.query(sql`insert into ${raw(table)} (${raw(columns.map(({ name }) => name).join(', '))})
        select ${join(values)} from ${raw(table)} t cross join generate_series(1, ${many}) as n`),
    )
  }
  await fill('runs', { run_id: `'R-' || n`, title: `repeat('x', 500)` })
  const runId = `(select r.id from runs r where r.run_id = 'R-' || n)`
  await fill('run_labels', { run_id: runId })
  await fill('run_features', { run_id: runId })
  for (const table of ['runs', 'run_labels', 'run_features']) await store.db.query(sql`analyze ${raw(table)}`)
  const ask = store.db.query
  const plans: string[] = []
  store.db.query = async <Row extends object>(statement: Parameters<typeof ask>[0]) => {
    if (/order by [\w.]+ desc, [\w.]+ desc limit \d+$/.test(statement.text.trim())) {
      const lines = await ask<{ 'QUERY PLAN': string }>(sql`explain ${statement}`)
      plans.push(lines.map((line) => line['QUERY PLAN']).join('\n'))
    }
    return ask<Row>(statement)
  }
  const pages = [
    await client.listRuns({ label: 'team:web', agent: 'x' }),
    await client.listRuns({ featureId: 5, status: ['pending'] }),
    await client.listRuns({ featureId: 5, branch: 'main' }),
  ]
  assert.deepEqual(
    pages.map(({ runs }) => runs.length),
    [20, 20, 20],
  )
  assert.equal(plans.length, 3)
  for (const plan of plans) assert.doesNotMatch(plan, /Hash|Sort|Seq Scan on runs/)
})
