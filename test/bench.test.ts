import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { recordCreate, runSteps } from '../bench/recorded.ts'
import { atLeast, atMost, isAllWell, summary } from '../bench/report.ts'
import { startOwn } from '../bench/servers.ts'
import { newRun } from '../bench/work.ts'
import { type Engine, engines, openLedger } from './support/engines.ts'

test('a recorded createRun creates a new run each time its statements run', async (t) => {
  const url = (await engines.find(({ name }) => name === 'postgres')?.freshUrl(t)) as string
  const steps = await recordCreate(url)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.after(() => client.end())
  for (let n = 0; n < 3; n++) await runSteps(client, steps)
  const { rows } = await client.query(`
    select count(*)::int as runs, count(distinct run_id)::int as names,
      (select count(*)::int from run_labels l join runs r on r.id = l.run_id) as labels,
      (select count(*)::int from pending_events where type = 'run.created') as events,
      (select runs::int from spec_totals) as total
    from runs`)
  assert.deepEqual(rows, [{ runs: 4, names: 4, labels: 4, events: 4, total: 4 }])
})

test('the floor that Conduct is compared with returns the same responses as Conduct', async (t) => {
  const { client } = await openLedger(t, engines[0] as Engine)
  const folder = mkdtempSync(join(tmpdir(), 'conduct-floor-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const floor = await startOwn('floor.ts', join(folder, 'floor.db'))
  t.after(() => floor.stop())
  const body = newRun('SPEC-1')
  await client.createRun(JSON.parse(body))
  await fetch(`${floor.url}/v1/runs`, { method: 'POST', body })
  const ask = async (path: string) => (await fetch(floor.url + path)).json()
  const ours = [await client.getRun({ runId: 'RUN-001' }), await client.listRuns({ specId: 'SPEC-1' })]
  const theirs = [await ask('/v1/runs/RUN-001'), await ask('/v1/runs?specId=SPEC-1')]
  const bare = (answers: unknown[]) => JSON.parse(JSON.stringify(answers).replace(/"\d{4}-\d\d-\d\dT[^"]+"/g, '"time"'))
  assert.deepEqual(bare(theirs), bare(ours))
})

test('the summary lists every figure that has a limit, and every part that failed', () => {
  const parts = [
    { name: 'quick', rows: [atMost('wait', 12, 'ms', { bar: 10, hope: 5 }), { title: 'no bar', measured: '7' }] },
    { name: 'far', rows: [atLeast('rate', 3, '×', { bar: 2, hope: 4 })] },
    { name: 'broken', rows: [], error: 'Error: no disk\nat …' },
  ]
  assert.deepEqual(summary(parts).split('\n').slice(2), [
    '| quick | wait | ≤ 10 ms | 12 ms | MISSED |',
    '| far | rate | ≥ 2 × | 3.00 × | ok |',
    '| broken | the whole part |  | Error: no disk | FAILED |',
  ])
  assert.deepEqual(
    [[], [0], [1], [2]].map((some) => isAllWell(some.map((at) => parts[at] as never))),
    [true, false, true, false],
  )
})
