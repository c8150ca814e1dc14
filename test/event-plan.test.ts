import assert from 'node:assert/strict'
import sql, { join, raw } from 'sql-template-tag'
import { openLedger, testOn } from './support/engines.ts'

testOn('postgres', 'events by type walk along an index, also in a plan without the values', async (postgres, t) => {
  const { client, store } = await openLedger(t, postgres)
  const { run } = await client.createRun({ title: 'A' })
  await client.appendToRun({ runId: run.runId, text: 'b' })
  await client.listEvents()
  const columns = await store.db.query<{ name: string }>(sql`
    select column_name as name from information_schema.columns
    where table_schema = current_schema() and table_name = 'events' order by ordinal_position`)
  const names = columns.map(({ name }) => raw(name))
  const values = columns.map(({ name }) => raw(name === 'seq' ? '1000 + n' : `e.${name}`))
  await store.db.tx((tx) =>
    tx.query(sql`insert into events (${join(names)}) overriding system value
      select ${join(values)} from (select * from events where type = 'run.created' limit 1) e
        cross join generate_series(1, 20000) as n`),
  )
  await store.db.query(sql`analyze events`)
  const asked: { text: string; values: unknown[] }[] = []
  const ask = store.db.query
  store.db.query = async <Row extends object>(statement: Parameters<typeof ask>[0]) => {
    if (/from events e\b.* order by /s.test(statement.text)) asked.push(statement)
    return ask<Row>(statement)
  }
  await client.listEvents({ type: ['spec.deleted'], project: ['default'] })
  await client.listEvents({ type: ['run.created'], project: ['default'], order: 'desc' })
  await client.listEvents({ subject: run.runId, project: ['default'] })
  await client.listEvents({ project: ['default'] })
  store.db.query = ask
  assert.ok(asked.length >= 4)
  for (const { text, values } of asked) {
    const plan = await store.db.tx(async (tx) => {
      await tx.query(sql`set local plan_cache_mode = force_generic_plan`)
      await tx.query(sql`prepare asked as ${raw(text)}`)
      const lines = await tx.query<{ 'QUERY PLAN': string }>(
        sql`explain execute asked (${join(values.map(() => raw('null')))})`,
      )
      await tx.query(sql`deallocate asked`)
      return lines.map((line) => line['QUERY PLAN']).join('\n')
    })
    assert.doesNotMatch(plan, /events_pkey|Seq Scan on events/, `${text}\n${plan}`)
  }
})
