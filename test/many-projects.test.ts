import assert from 'node:assert/strict'
import sql, { raw } from 'sql-template-tag'
import type { Input } from '../src/client/client.ts'
import type { Db } from '../src/engine/db.ts'
import { createApp } from '../src/server/app.ts'
import { type Ledger, testLedger } from './support/engines.ts'

const runs = 3_000
const projects = 40
/** How many statements a page may take. Each project alone would take one. */
const most = 20

/** Fills an empty ledger with runs in these projects. */
async function fill({ client, store: { db } }: Ledger): Promise<void> {
  await client.createRun({ runId: 'A', agent: 'a', labels: { team: 'x' } })
  const isSqlite = db.dialect.commitsInOrder
  const columns = await db.query<{ name: string }>(
    isSqlite
      ? sql`select name from pragma_table_info('runs') where name <> 'id'`
      : sql`select column_name as name from information_schema.columns
          where table_schema = current_schema() and table_name = 'runs' and column_name <> 'id'`,
  )
  const at = `'2026-01-01T00:' || case when n < 600 then '0' else '' end || (n / 60) || ':00.000Z'`
  const own: Record<string, string> = {
    project_id: `t.project_id + n % ${projects}`,
    run_id: `'R-' || n`,
    agent: `case when n % 1000 = 7 then 'rare' when n % 3 = 0 then 'b' else 'a' end`,
    status: `case when n % 7 = 0 then 'failed' when n % 11 = 0 then 'completed' else 'pending' end`,
    created_at: at,
    updated_at: at,
  }
  const names = columns.map(({ name }) => name)
  const numbers = (to: number) =>
    raw(`(with recursive n (n) as (select 1 union all select n + 1 from n where n < ${to}) select n from n) as numbers`)
  await db.tx(async (tx) => {
    await tx.query(sql`insert into projects (slug, name, created_at, updated_at)
      select 'p-' || n, 'P', ${'2026-01-01'}, ${'2026-01-01'} from ${numbers(projects)} where n > 1`)
    await tx.query(sql`insert into runs (${raw(names.join(', '))})
      select ${raw(names.map((name) => own[name] ?? `t.${name}`).join(', '))} from runs t cross join ${numbers(runs)}`)
    await tx.query(sql`insert into run_labels (run_id, name, value, project_id, created_at)
      select id, 'team', case when id % 5 = 0 then 'web' else 'shop' end, project_id, created_at from runs where run_id <> 'A'`)
  })
}

type Filter = Pick<Input<'listRuns'>, 'agent' | 'status' | 'label' | 'createdAfter' | 'updatedAfter' | 'author'>

const filters: Record<string, Filter> = {
  'a value that many runs have': { status: ['pending'] },
  'two values': { status: ['failed', 'completed'] },
  'two filters': { agent: 'b', status: ['failed'] },
  'a label and an agent': { label: ['team:web'], agent: 'b' },
  'a value that few runs have': { agent: 'rare', status: ['failed', 'pending'] },
  'a value that no run has': { author: 'Nobody', status: ['pending'] },
  'a span': { agent: 'b', status: ['completed'], createdAfter: '2026-01-01T00:20:00Z' },
}

/** Every run that matches, page by page, and the statements of each page. */
async function listed({ as, store }: Ledger, filter: Filter, order: 'asc' | 'desc') {
  let count = 0
  const query: Db['query'] = (statement) => {
    count += 1
    return store.db.query(statement)
  }
  const app = createApp({ store: { ...store, db: { ...store.db, query } }, rateLimit: 0 })
  const client = as({ fetch: async (request) => app.fetch(request) })
  const statements: number[] = []
  const ids: number[] = []
  for (let cursor: string | undefined; ; ) {
    count = 0
    const { runs, meta } = await client.listRuns({ ...filter, order, limit: 100, ...(cursor && { cursor }) })
    statements.push(count)
    ids.push(...runs.map(({ id }) => id))
    cursor = meta.nextCursor
    if (!cursor) return { ids, statements }
  }
}

testLedger('a list over many projects has every matching run once, in order', async (ledger) => {
  await fill(ledger)
  const all = await Array.fromAsync(ledger.client.all('listRuns', { limit: 100, order: 'asc' }))
  assert.equal(all.length, runs + 1)
  assert.equal(new Set(all.map(({ project }) => project)).size, projects)
  const labels = new Map(
    (
      await ledger.store.db.query<{ run_id: number; label: string }>(
        sql`select run_id, name || ':' || value as label from run_labels`,
      )
    ).map(({ run_id, label }) => [run_id, label]),
  )
  for (const [what, filter] of Object.entries(filters)) {
    const expected = all
      .filter(
        (run) =>
          (filter.agent === undefined || run.agent === filter.agent) &&
          (filter.author === undefined || run.author === filter.author) &&
          (!filter.status || filter.status.includes(run.status)) &&
          (!filter.label || filter.label.every((label) => labels.get(run.id) === label)) &&
          (filter.createdAfter === undefined || run.createdAt > filter.createdAfter.replace('Z', '.000Z')),
      )
      .map(({ id }) => id)
    for (const order of ['asc', 'desc'] as const) {
      const { ids, statements } = await listed(ledger, filter, order)
      assert.deepEqual(ids, order === 'asc' ? expected : expected.toReversed(), what)
      assert.ok(Math.max(...statements) <= most, `${what}: ${statements} statements`)
    }
  }
})
