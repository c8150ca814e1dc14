import assert from 'node:assert/strict'
import sql, { join, raw } from 'sql-template-tag'
import type { Db } from '../src/engine/db.ts'
import { testLedger } from './support/engines.ts'

const many = 3000

const project = 'case when n % 2 = 0 then (select max(id) from projects) else t.project_id end'

/** Many copies of the only row of a table, half of them in another project, with these expressions in some columns. */
async function fill(db: Db, table: string, own: Record<string, string>): Promise<void> {
  const [row = {}] = await db.query<Record<string, unknown>>(sql`select * from ${raw(table)}`)
  const columns = Object.keys(row).filter((name) => name !== 'id')
  const values = columns.map((name) => raw({ project_id: project, ...own }[name] ?? `t.${name}`))
  await db.tx((tx) =>
    tx.query(sql`insert into ${raw(table)} (${raw(columns.join(', '))})
      with recursive n (n) as (select 1 union all select n + 1 from n where n < ${raw(String(many))})
      select ${join(values)} from ${raw(table)} t cross join n`),
  )
  // SQLite has no statistics.
  if (!db.dialect.commitsInOrder) await db.query(sql`analyze ${raw(table)}`)
}

testLedger('pages of one project and of all walk along one index', async ({ client, store: { db } }) => {
  await client.createProject({ slug: 'b', name: 'B' })
  await client.createSpec({ specId: 'A', title: 'A', content: '' })
  await client.createRun({ runId: 'A' })
  await client.createCheck({ runId: 'A', name: 'tests', result: 'pass' })
  await client.createFeature({ name: 'search' })
  await fill(db, 'runs', { run_id: `'R-' || n` })
  await fill(db, 'specs', { spec_id: `'S-' || n` })
  await fill(db, 'checks', { check_id: `'C-' || n` })
  await fill(db, 'features', { number: 'n + 10', name: `'F-' || n` })
  const ask = db.query
  const explain = db.dialect.commitsInOrder ? sql`explain query plan` : sql`explain`
  const planOf = async (table: string, list: () => Promise<unknown>) => {
    const plans: unknown[] = []
    db.query = async <Row extends object>(statement: Parameters<typeof ask>[0]) => {
      if (new RegExp(`from ${table}\\b[^]* limit \\d+$`).test(statement.text.trim())) {
        plans.push(...(await ask(sql`${explain} ${statement}`)))
      }
      return ask<Row>(statement)
    }
    await list()
    db.query = ask
    assert.notEqual(plans.length, 0)
    return JSON.stringify(plans)
  }
  for (const [table, list] of [
    ['runs', client.listRuns],
    ['specs', client.listSpecs],
    ['checks', client.listChecks],
    ['features', client.listFeatures],
  ] as const) {
    const [one, all] = [await planOf(table, () => list({ project: ['default'] })), await planOf(table, () => list({}))]
    assert.match(one, new RegExp(`\\b${table}_by_time\\b`))
    assert.match(all, new RegExp(`\\b${table}_by_time_everywhere\\b`))
    for (const plan of [one, all]) assert.doesNotMatch(plan, /Sort|TEMP B-TREE|Seq Scan/)
  }
})
