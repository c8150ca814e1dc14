import assert from 'node:assert/strict'
import sql, { raw } from 'sql-template-tag'
import type { Input } from '../src/client/client.ts'
import { testLedger } from './support/engines.ts'

const ada = 'Ada <ada@example.com>'

/** The index of each list, and a filter that leads to it. */
const lists: [index: string, filter: Input<'listAttention'>][] = [
  ['attention_by_state', {}],
  ['attention_by_state', { group: 'spec' }],
  ['attention_by_reason', { reason: ['failed'] }],
  ['attention_by_author', { author: ada }],
  ['attention_by_assignee', { assignee: ada }],
]

testLedger('each list of what needs attention walks along its index', async ({ client, store: { db } }) => {
  await client.createRun({ runId: 'A', status: 'failed', author: ada })
  await client.updateAttention({ runIds: ['A'], assignee: ada })
  await db.tx(async (tx) => {
    await tx.query(sql`insert into runs (project_id, run_id, status, labels, links, attempt, verdict, work_version, version,
        created_at, updated_at, created_by, updated_by, judged)
      with recursive n (n) as (select 1 union all select n + 1 from n where n < 3000)
      select project_id, 'R-' || n, 'failed', '{}', '[]', 1, 'unchecked', 1, 1, created_at, updated_at, 0, 0, 1
      from runs cross join n`)
    await tx.query(sql`insert into attention (run_id, project_id, reason, since_at, updated_at, author_person)
      select id, project_id, case when id % 2 = 0 then 'vanished' else 'failing' end, '2026-01-01T00:00:00.000Z', updated_at,
        'p' || id % 50 from runs where run_id <> 'A'`)
  })
  // SQLite has no statistics.
  if (!db.dialect.commitsInOrder) for (const table of ['runs', 'attention']) await db.query(sql`analyze ${raw(table)}`)
  const ask = db.query
  const explain = db.dialect.commitsInOrder ? sql`explain query plan` : sql`explain`
  for (const [index, filter] of lists) {
    const plans: unknown[] = []
    db.query = async <Row extends object>(statement: Parameters<typeof ask>[0]) => {
      if (/from attention cross join runs/.test(statement.text)) plans.push(await ask(sql`${explain} ${statement}`))
      return ask<Row>(statement)
    }
    await client.listAttention(filter)
    db.query = ask
    const text = JSON.stringify(plans)
    assert.match(text, new RegExp(`\\b${index}\\b`), JSON.stringify(filter))
    assert.doesNotMatch(text, /Sort|TEMP B-TREE|Seq Scan|SCAN attention(?! USING)/, JSON.stringify(filter))
  }
})
