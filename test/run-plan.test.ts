import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import sql, { join, raw } from 'sql-template-tag'
import type { Input } from '../src/client/client.ts'
import { momentFilters, valueFilters } from '../src/nouns/run/filters.ts'
import { type Ledger, openLedger, testLedger, testOn } from './support/engines.ts'

testOn('postgres', 'PostgreSQL walks along one index for a page of runs with two filters', async (postgres, t) => {
  const { client, store } = await openLedger(t, postgres)
  const many = 10_000
  await client.createRun({
    runId: 'A',
    agent: 'x',
    labels: { team: 'web' },
    git: { branch: 'main' },
    content: 'x',
  })
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
    await client.listRuns({ label: ['team:web'], agent: 'x' }),
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

testLedger('the attempts in a timeline are read without the other runs', async ({ client, store }) => {
  await client.createRun({ runId: 'A', status: 'failed' })
  await addOthers(store)
  await client.createRun({ runId: 'B', retryOf: 'A' })
  const ask = store.db.query
  const explain = store.db.dialect.commitsInOrder ? sql`explain query plan` : sql`explain`
  const plans: unknown[] = []
  store.db.query = async <Row extends object>(statement: Parameters<typeof ask>[0]) => {
    if (statement.text.includes('with recursive before')) plans.push(await ask(sql`${explain} ${statement}`))
    return ask<Row>(statement)
  }
  const { timeline } = await client.timeline({ runId: 'B' })
  store.db.query = ask
  assert.equal(timeline.filter(({ kind }) => kind === 'attempt').length, 2)
  assert.equal(plans.length, 1)
  assert.doesNotMatch(JSON.stringify(plans), /project_id=|Seq Scan on runs|runs_by_time/)
})

const schema = readFileSync(new URL('../docs/schema.sql', import.meta.url), 'utf8')

/** The index that finds the runs of a project by a column. */
function indexOf(column: string): string {
  const found = new RegExp(`^create index (\\w+) on runs \\(project_id, ${column}, created_at, id\\)`, 'm').exec(schema)
  assert.ok(found?.[1], `runs have an index of ${column}`)
  return found[1]
}

/** Adds 3,000 runs without these values, which changed long ago, with a label each. */
async function addOthers({ db }: Ledger['store']): Promise<void> {
  const columns = await db.query<{ name: string }>(
    db.dialect.commitsInOrder
      ? sql`select name from pragma_table_info('runs') where name <> 'id'`
      : sql`select column_name as name from information_schema.columns
          where table_schema = current_schema() and table_name = 'runs' and column_name <> 'id'`,
  )
  const names = columns.map(({ name }) => name)
  const others = new Map<string, string>([
    ...momentFilters.map(({ column }) => [column, `'2020-01-01'`] as const),
    ...[...Object.values(valueFilters), 'author_person'].map((column) => [column, 'null'] as const),
    ['run_id', `'R-' || n.n`],
  ])
  const values = names.map((name) => others.get(name) ?? `t.${name}`).join(', ')
  await db.tx(async (tx) => {
    await tx.query(sql`insert into runs (${raw(names.join(', '))})
      with recursive n (n) as (select 1 union all select n + 1 from n where n < 3000)
      select ${raw(values)} from runs t cross join n`)
    await tx.query(sql`insert into run_labels (run_id, name, value, project_id, created_at)
      select id, 'team', run_id, project_id, created_at from runs where run_id <> 'A'`)
    await tx.query(sql`insert into run_paths (run_id, path, project_id, created_at)
      select id, 'src/' || run_id, project_id, created_at from runs where run_id <> 'A'`)
    await tx.query(sql`insert into run_models (run_id, model, project_id, created_at)
      select id, 'model-' || run_id, project_id, created_at from runs where run_id <> 'A'`)
  })
  // SQLite has no statistics.
  if (!db.dialect.commitsInOrder) await db.query(sql`analyze`)
}

testLedger('each filter by a column walks along its index', async ({ client, store }) => {
  await client.createRun({
    ...{
      runId: 'A',
      author: 'Ada <ada@example.com>',
      where: { session: 's' },
      git: { branch: 'b' },
      usage: { model: 'm' },
    },
    ...{ status: 'completed', labels: { team: 'web', part: 'api' } },
  })
  await client.appendTurn({ runId: 'A', files: [{ path: 'src/a.ts' }] })
  await addOthers(store)
  const ask = store.db.query
  const explain = store.db.dialect.commitsInOrder ? sql`explain query plan` : sql`explain`
  /** The plans of the statements for a page that contain `part`. */
  const plansOf = async (filter: Input<'listRuns'>, part: string) => {
    const plans: unknown[] = []
    store.db.query = async <Row extends object>(statement: Parameters<typeof ask>[0]) => {
      if (statement.text.includes(part)) plans.push(await ask(sql`${explain} ${statement}`))
      return ask<Row>(statement)
    }
    const { runs } = await client.listRuns(filter)
    store.db.query = ask
    assert.deepEqual(
      runs.map(({ runId }) => runId),
      ['A'],
    )
    return JSON.stringify(plans)
  }
  const values: Record<keyof typeof valueFilters, string> = {
    session: 's',
    branch: 'b',
    author: 'Ada <ada@example.com>',
  }
  for (const [name, column] of Object.entries(valueFilters)) {
    const plans = await plansOf({ [name]: values[name as keyof typeof values] }, `runs.${column} =`)
    assert.match(plans, new RegExp(`\\b${indexOf(column)}\\b`), name)
  }
  for (const { column, after } of momentFilters) {
    const plans = await plansOf({ [after]: '2021-01-01T00:00:00Z' }, `l.${column} >`)
    assert.match(plans, new RegExp(`\\b${indexOf(column)}\\b`), after)
  }
  const others: [filter: Input<'listRuns'>, part: string, index: RegExp][] = [
    [{ label: ['team:web', 'part:api'] }, 'run_labels', /\bruns_by_label\b/],
    [{ file: 'src/a.ts' }, 'from run_paths', /\bruns_by_path\b/],
    [{ file: 'src/', status: ['completed'] }, 'from run_paths', /\bruns_by_path\b/],
    [{ author: 'ada@example.com' }, 'runs.author_person =', /\bruns_by_author_person\b/],
    [{ model: 'm' }, 'from run_models', /\bruns_by_model\b/],
  ]
  for (const [filter, part, index] of others) assert.match(await plansOf(filter, part), index)
})
