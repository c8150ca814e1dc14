import assert from 'node:assert/strict'
import { test } from 'node:test'
import sql, { join, raw } from 'sql-template-tag'
import type { Run } from '../src/nouns/run/fields.ts'
import { statuses } from '../src/nouns/run/state.ts'
import type { StatsBy, Tally } from '../src/nouns/run/stats-fields.ts'
import { durationOf, emptyTally, rangeOf, reported } from '../src/nouns/run/stats-rules.ts'
import { type Ledger, testLedger } from './support/engines.ts'

const hour = 3600_000
const midnight = (at: number) => new Date(Math.floor(at / (24 * hour)) * 24 * hour)

/** The totals of runs, counted from the runs themselves. */
function tallyOf(runs: Run[]): Tally {
  const tally = emptyTally()
  for (const { status, verdict, usage } of runs) {
    tally.runs++
    tally.byStatus[status]++
    tally.byVerdict[verdict]++
    tally.inputTokens += usage?.inputTokens ?? 0
    tally.outputTokens += usage?.outputTokens ?? 0
    tally.cacheReadTokens += usage?.cacheReadTokens ?? 0
    tally.cacheWriteTokens += usage?.cacheWriteTokens ?? 0
    tally.costUsd += usage?.costUsd ?? 0
    tally.costed += usage?.costUsd === undefined ? 0 : 1
  }
  return reported(tally)
}

function groupOf({ usage, git, ...run }: Run, by: StatsBy): string | null {
  if (by === 'model') return usage?.model ?? null
  return by === 'branch' ? (git?.branch ?? null) : run[by]
}

testLedger('values that no run reports are unknown, not 0', async ({ client, store, advance }) => {
  // At noon, all of it is on one day.
  advance(36 * hour - (Date.parse(store.now()) % (24 * hour)))
  const unknown = {
    inputTokens: null,
    outputTokens: null,
    cacheReadTokens: null,
    cacheWriteTokens: null,
    costUsd: null,
  }
  const usedIn = async () => {
    const { total, groups: [group] = [], days } = await client.stats({ by: 'agent' })
    const { spec } = await client.getSpec({ specId: 'S' })
    return [total, group, days.at(-1), spec.totals].map((tally) =>
      Object.fromEntries(Object.entries(tally ?? {}).filter(([name]) => name in unknown || name === 'costed')),
    )
  }
  await client.createSpec({ specId: 'S' })
  const { run } = await client.createRun({ specId: 'S', agent: 'cursor' })
  assert.deepEqual(await usedIn(), Array(4).fill({ ...unknown, costed: 0 }))
  await client.createRun({ specId: 'S', agent: 'cursor', usage: { costUsd: 0, outputTokens: 3 } })
  assert.deepEqual(await usedIn(), Array(4).fill({ ...unknown, outputTokens: 3, costUsd: 0, costed: 1 }))
  await client.updateRun({ runId: run.runId, usage: { inputTokens: 7, costUsd: 0.25 } })
  const known = { ...unknown, inputTokens: 7, outputTokens: 3, costUsd: 0.25, costed: 2 }
  assert.deepEqual(await usedIn(), Array(4).fill(known))
})

testLedger('every run counts once, on the day on which it was created', async (ledger) => {
  const { client, as, advance } = ledger
  await client.createProject({ slug: 'shop' })
  for (let n = 0; n < 40; n++) {
    const writer = n % 5 === 0 ? as({ project: 'shop' }) : client
    const { run } = await writer.createRun({
      runId: `R${n}`,
      status: statuses[n % 4],
      ...(n % 3 && { specId: `SPEC-${n % 3}`, agent: n % 2 ? 'codex' : 'ci' }),
      ...(n % 7 && {
        usage: {
          ...{ model: `m-${n % 2}`, inputTokens: n * 1000, outputTokens: n, cacheReadTokens: n, cacheWriteTokens: 1 },
          ...(n % 5 && { costUsd: n / 10 }),
        },
      }),
      ...(n % 4 && { author: `person ${n % 4}`, git: { branch: `b-${n % 3}` } }),
    })
    if (n % 2) await writer.createCheck({ runId: run.runId, result: n % 4 === 1 ? 'pass' : 'fail' })
    advance(5 * hour)
  }
  const all = await Array.fromAsync(client.all('listRuns', { order: 'asc' }))
  const [first, middle] = [all[0], all[20]] as [Run, Run]
  const filters = [
    {},
    { specId: 'SPEC-1' },
    { agent: 'codex' },
    { specId: 'SPEC-2', agent: 'ci' },
    { project: ['shop'] },
    { createdAfter: middle.createdAt },
    { createdBefore: middle.createdAt },
    { createdAfter: first.createdAt, createdBefore: middle.createdAt },
    { createdBefore: midnight(Date.parse(middle.createdAt)).toISOString() },
    { specId: 'none' },
  ]
  for (const filter of filters) {
    const wanted = await Array.fromAsync(client.all('listRuns', filter))
    const { days, total } = await client.stats(filter)
    assert.deepEqual(total, tallyOf(wanted), JSON.stringify(filter))
    for (const by of ['agent', 'author', 'specId', 'model', 'branch', 'project'] as const) {
      const { groups = [] } = await client.stats({ ...filter, by })
      const counted = Map.groupBy(wanted, (run) => groupOf(run, by))
      assert.deepEqual(
        new Map(groups.map(({ value, duration: _, ...tally }) => [value, tally])),
        new Map([...counted].map(([value, runs]) => [value, tallyOf(runs)])),
        by,
      )
      const sizes = groups.map(({ runs }) => runs)
      assert.deepEqual(
        sizes,
        sizes.toSorted((a, b) => b - a),
      )
    }
    for (const { day, ...tally } of days) {
      assert.deepEqual(tally, tallyOf(wanted.filter(({ createdAt }) => createdAt.startsWith(day))), day)
    }
    assert.equal(
      days.reduce((sum, { runs }) => sum + runs, 0),
      wanted.length,
      'each run is on one of the days',
    )
  }
  assert.equal((await as({ project: 'shop' }).stats()).total.runs, 8)
})

testLedger(
  'an author is one group by the email address, as often spelled, and others by their name',
  async (ledger) => {
    const { client, advance } = ledger
    const authors = [
      'ADA L. <ADA@EXAMPLE.COM>',
      'Ada Lund <ada@example.com>',
      'ada@example.com',
      'Ada',
      'ada',
      undefined,
    ]
    for (const author of [...authors, 'Ada Lund <ada@example.com>']) {
      const { run } = await client.createRun({ author, status: 'in_progress', usage: { costUsd: 1 } })
      advance(hour)
      await client.updateRun({ runId: run.runId, status: 'completed' })
    }
    const { groups = [], total } = await client.stats({ by: 'author' })
    const rows = groups.map(({ value, runs, costUsd, duration }) => [value, runs, costUsd, duration.runs])
    assert.deepEqual(rows, [
      ['Ada Lund <ada@example.com>', 4, 4, 4],
      [null, 1, 1, 1],
      ['Ada', 1, 1, 1],
      ['ada', 1, 1, 1],
    ])
    assert.equal(total.runs, 7)
    assert.equal((await client.listRuns({ author: 'ada@example.com' })).runs.length, 4, 'as the filter finds them')
  },
)

testLedger('durations are those of finished runs, from start to end', async (ledger) => {
  const { client, advance } = ledger
  assert.deepEqual((await client.stats()).duration, { runs: 0, medianMs: null, p90Ms: null })
  await client.createRun({ status: 'in_progress' })
  for (let n = 1; n <= 4; n++) {
    const { run } = await client.createRun({ status: 'in_progress' })
    advance(n * hour)
    await client.updateRun({ runId: run.runId, status: n % 2 ? 'completed' : 'failed' })
  }
  const { runs, medianMs, p90Ms } = (await client.stats()).duration
  assert.equal(runs, 4)
  // The clock also advances by itself.
  assert.ok(Math.abs((medianMs ?? 0) - 2 * hour) < 10_000, String(medianMs))
  assert.ok(Math.abs((p90Ms ?? 0) - 4 * hour) < 10_000, String(p90Ms))
})

testLedger('the last 30 days count by default, and at most 366 on request', async (ledger) => {
  const { client, store, advance } = ledger
  await client.createRun({})
  const untilMidnight = 24 * hour - (Date.parse(store.now()) % (24 * hour))
  advance(untilMidnight + 28 * 24 * hour)
  const { days, total } = await client.stats()
  assert.deepEqual([days.length, days[0]?.runs, total.runs], [30, 1, 1])
  assert.equal(days[29]?.day, store.now().slice(0, 10))
  advance(24 * hour)
  assert.equal((await client.stats()).total.runs, 0)

  const year = { createdAfter: '2024-01-01T00:00:00Z', createdBefore: '2025-01-01T00:00:00Z' }
  assert.equal((await client.stats(year)).days.length, 366)
  await assert.rejects(client.stats({ ...year, createdBefore: '2025-01-01T00:00:00.001Z' }), {
    code: 'VALIDATION_ERROR',
    message: /367 days/,
  })
  for (const [createdAfter, createdBefore] of [
    [year.createdBefore, year.createdAfter],
    [year.createdAfter, year.createdAfter],
    ['2100-01-01T00:00:00Z', undefined],
  ]) {
    await assert.rejects(client.stats({ createdAfter, createdBefore }), {
      code: 'VALIDATION_ERROR',
      message: /must be before/,
    })
  }
  for (const [createdAfter, createdBefore, count] of [
    ['2024-01-01T00:00:00Z', '2024-01-01T00:00:00.001Z', 1],
    ['2024-01-01T23:59:59.999Z', '2024-01-02T00:00:00Z', 0],
  ] as const) {
    const { days, total } = await client.stats({ createdAfter, createdBefore, by: 'agent' })
    assert.deepEqual([days.length, total.runs], [count, 0], 'no moment is between two milliseconds')
  }
})

testLedger('a project key counts only its project', async ({ client, as }) => {
  await client.createProject({ slug: 'shop' })
  await client.createRun({})
  await as({ project: 'shop' }).createRun({})
  await as({ project: 'shop' }).createRun({})
  const { secret } = await client.createKey({ name: 'r', permissions: ['read'], project: 'shop' })
  const shop = as({ key: secret })
  assert.deepEqual([(await shop.stats()).total.runs, (await client.stats()).total.runs], [2, 3])
  await assert.rejects(shop.stats({ project: ['default'] }), { code: 'NOT_FOUND' })
})

test('percentiles are durations that occurred', () => {
  const ten = [9, 1, 8, 2, 7, 3, 6, 4, 5, 10]
  assert.deepEqual(durationOf(ten), { runs: 10, medianMs: 5, p90Ms: 9 })
  assert.deepEqual(durationOf([7]), { runs: 1, medianMs: 7, p90Ms: 7 })
  assert.deepEqual(durationOf([2, 1]), { runs: 2, medianMs: 1, p90Ms: 2 })
})

test('a range consists of whole days in UTC, except at the given ends', () => {
  const now = '2026-03-01T09:30:00.000Z'
  const { after, before, days } = rangeOf(undefined, undefined, now, 'UTC')
  assert.deepEqual([after, before, days.length], ['2026-01-30T23:59:59.999Z', undefined, 30])
  assert.deepEqual(
    [days[0], days[28], days[29]].map((one) => one?.day),
    ['2026-01-31', '2026-02-28', '2026-03-01'],
  )
  const given = rangeOf('2026-02-27T23:59:59.999Z', '2026-03-01T00:00:00.000Z', now, 'UTC')
  assert.deepEqual(given, {
    after: '2026-02-27T23:59:59.999Z',
    before: '2026-03-01T00:00:00.000Z',
    days: [{ day: '2026-02-28', start: '2026-02-28T00:00:00.000Z' }],
  })
})

test('days begin at midnight in the time zone, even when clocks change', () => {
  const startsIn = (timeZone: string, after: string, before: string) =>
    rangeOf(after, before, before, timeZone).days.map(({ day, start }) => `${day} ${start}`)
  assert.deepEqual(startsIn('Europe/Berlin', '2026-03-28T23:00:00.000Z', '2026-03-31T00:00:00.000Z'), [
    '2026-03-29 2026-03-28T23:00:00.000Z',
    '2026-03-30 2026-03-29T22:00:00.000Z',
    '2026-03-31 2026-03-30T22:00:00.000Z',
  ])
  // The clock goes from 24:00 to 01:00, and from 01:00 back to 00:00.
  const beginsAt = (day: string, start: string) => `${day} ${start}`
  assert.deepEqual(startsIn('America/Havana', '2026-03-07T06:00:00.000Z', '2026-03-08T12:00:00.000Z'), [
    beginsAt('2026-03-07', '2026-03-07T05:00:00.000Z'),
    beginsAt('2026-03-08', '2026-03-08T05:00:00.000Z'),
  ])
  assert.deepEqual(startsIn('America/Havana', '2026-10-31T05:00:00.000Z', '2026-11-01T12:00:00.000Z'), [
    beginsAt('2026-10-31', '2026-10-31T04:00:00.000Z'),
    beginsAt('2026-11-01', '2026-11-01T04:00:00.000Z'),
  ])
  assert.deepEqual(startsIn('Asia/Kathmandu', '2026-01-01T18:15:00.000Z', '2026-01-02T00:00:00.000Z'), [
    beginsAt('2026-01-02', '2026-01-01T18:15:00.000Z'),
  ])
  assert.throws(() => rangeOf(undefined, undefined, '2026-01-01T00:00:00.000Z', 'Berlin'), {
    code: 'VALIDATION_ERROR',
    message: /timeZone.*not 'Berlin'/,
  })
})

testLedger('a run counts on its day in the requested time zone', async ({ client, advance, store }) => {
  const untilMidnight = 24 * hour - (Date.parse(store.now()) % (24 * hour))
  advance(untilMidnight + 23 * hour)
  const { run } = await client.createRun({})
  const day = run.createdAt.slice(0, 10)
  const counted = async (timeZone?: string) =>
    (await client.stats({ timeZone })).days.filter(({ runs }) => runs > 0).map((one) => one.day)
  assert.deepEqual(await counted(), [day])
  const next = midnight(Date.parse(run.createdAt) + 24 * hour).toISOString()
  for (const zone of ['Asia/Tokyo', '+09:00']) assert.deepEqual(await counted(zone), [next.slice(0, 10)])
  await assert.rejects(client.stats({ timeZone: 'Mars/Olympus' }), { code: 'VALIDATION_ERROR' })
})

testLedger('each group has the durations of its own runs', async ({ client, advance }) => {
  for (const [agent, hours] of [
    ['codex', 1],
    ['codex', 3],
    ['ci', 2],
  ] as const) {
    const { run } = await client.createRun({ agent, status: 'in_progress' })
    advance(hours * hour)
    await client.updateRun({ runId: run.runId, status: 'completed' })
  }
  await client.createRun({ agent: 'idle' })
  const { groups = [] } = await client.stats({ by: 'agent' })
  const rounded = groups.map(({ value, duration: { runs, medianMs, p90Ms } }) => [
    value,
    runs,
    ...[medianMs, p90Ms].map((ms) => ms && Math.round(ms / hour)),
  ])
  assert.deepEqual(rounded, [
    ['codex', 2, 1, 3],
    ['ci', 1, 2, 2],
    ['idle', 0, null, null],
  ])
})

/** Copies the only run of each project, a second later each time. */
async function copyRuns({ store: { db } }: Ledger, times: number): Promise<void> {
  const own = ['id', 'run_id', 'created_at', 'started_at', 'ended_at']
  const [row] = await db.query<Record<string, unknown>>(sql`select * from runs limit 1`)
  const same = Object.keys(row ?? {}).filter((name) => !own.includes(name))
  const begun = Date.now() - 2 * hour
  for (let n = 1; n <= times; n += 500) {
    const values = Array.from({ length: 500 }, (_, at) => {
      const [created, ended] = [1, 2].map((times) => new Date(begun + (n + at) * 100 * times).toISOString())
      return sql`(${n + at}, ${created}, ${ended})`
    })
    await db.tx((tx) =>
      tx.query(sql`insert into runs (run_id, created_at, started_at, ended_at, ${raw(same.join(', '))})
        select 'COPY-' || column1, column2, column2, column3, ${raw(same.join(', '))} from (values ${join(values)}) as copies
          cross join (select * from runs where run_id = 'ONE') as ones`),
    )
  }
}

testLedger('durations of several projects are read in parts, newest first', async (ledger) => {
  const { client, as, store } = ledger
  for (const slug of ['one', 'two', 'three', 'four']) {
    await client.createProject({ slug })
    await as({ project: slug }).createRun({ runId: 'ONE', agent: slug, status: 'completed' })
  }
  await copyRuns(ledger, 3_000)
  const query = store.db.query
  const counts: number[] = []
  store.db.query = async <Row extends object>(statement: Parameters<typeof query>[0]) => {
    const rows = await query<Row>(statement)
    if (/started_at, ended_at/.test(statement.text)) counts.push(rows.length)
    return rows
  }
  const { duration, groups = [] } = await client.stats({ by: 'project' })
  store.db.query = query
  assert.equal(duration.runs, 10_000)
  assert.deepEqual(groups.map(({ duration }) => duration.runs).sort(), [2_500, 2_500, 2_500, 2_500])
  // Copy n took n tenths of a second; the newest 10,000 runs are the ones and the copies from 501 on.
  assert.ok(Math.abs((duration.p90Ms ?? 0) - 275_000) < 1_000, String(duration.p90Ms))
  assert.ok(counts.length > 1 && Math.max(...counts) <= 2_000, String(counts))
})
