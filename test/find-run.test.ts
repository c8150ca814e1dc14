import assert from 'node:assert/strict'
import type { Input } from '../src/client/client.ts'
import { testLedger } from './support/engines.ts'

const commit = (digit: string) => digit.repeat(40)
const day = (n: number) => `2026-01-0${n}T00:00:00.000Z`

testLedger('runs are found by commit, branch, session, author, link and end', async ({ client }) => {
  const ended = { status: 'completed' as const, startedAt: day(1) }
  await client.createRun({
    runId: 'A',
    git: { branch: 'main', commit: commit('1'), commits: [commit('2'), commit('1')] },
    author: 'Ada',
    ...ended,
    endedAt: day(2),
  })
  await client.createRun({
    runId: 'B',
    git: { branch: 'topic', commit: commit('2') },
    where: { session: 's-1' },
    ...ended,
    endedAt: day(3),
  })
  await client.createRun({
    runId: 'C',
    links: [{ rel: 'ci', href: 'https://example.com/7' }],
    author: 'Ada',
    agent: 'x',
    ...ended,
    endedAt: day(4),
  })
  await client.createRun({ runId: 'D', author: 'Bob', usage: { model: 'm-1' } })

  const asked: [filters: Input<'listRuns'>, found: string][] = [
    [{ commit: commit('1') }, 'A'],
    [{ commit: '1111111' }, 'A'],
    [{ commit: commit('2') }, 'B A'],
    [{ commit: '2222222', author: 'Ada' }, 'A'],
    [{ commit: '3333333' }, ''],
    [{ branch: 'topic' }, 'B'],
    [{ session: 's-1' }, 'B'],
    [{ author: 'Ada' }, 'C A'],
    [{ author: 'Ada', agent: 'x' }, 'C'],
    [{ author: 'Ada', order: 'asc' }, 'A C'],
    [{ model: 'm-1' }, 'D'],
    [{ model: 'm-1', author: 'Ada' }, ''],
    [{ href: 'https://example.com/7' }, 'C'],
    [{ href: 'https://example.com/8' }, ''],
    [{ endedAfter: day(2) }, 'C B'],
    [{ endedBefore: day(3) }, 'A'],
    [{ endedAfter: day(2), endedBefore: day(4) }, 'B'],
    [{ endedAfter: day(1), author: 'Ada', order: 'asc' }, 'A C'],
    [{ endedAfter: day(1), status: ['pending'] }, ''],
  ]
  for (const [filters, found] of asked) {
    const { runs } = await client.listRuns(filters)
    assert.equal(runs.map(({ runId }) => runId).join(' '), found, JSON.stringify(filters))
  }
  const page = await client.listRuns({ endedAfter: day(1), limit: 2 })
  const rest = await client.listRuns({ endedAfter: day(1), limit: 2, cursor: page.meta.nextCursor })
  assert.deepEqual(
    [page, rest].map(({ runs }) => runs.map(({ runId }) => runId)),
    [['C', 'B'], ['A']],
  )
  await assert.rejects(client.listRuns({ commit: '123456' }), {
    code: 'VALIDATION_ERROR',
    message: /commit: must be 7 to 64 of/,
  })

  await client.updateRun({
    runId: 'A',
    git: { branch: 'main', commit: commit('4') },
    links: [{ rel: 'pr', href: 'https://example.com/8' }],
  })
  const byCommit = async (commit: string) => (await client.listRuns({ commit })).runs.map(({ runId }) => runId)
  assert.deepEqual([await byCommit(commit('1')), await byCommit(commit('4'))], [[], ['A']])
  const words = async (q: string) => (await client.search({ q })).results.map(({ subject }) => subject)
  assert.deepEqual([await words(commit('4')), await words('topic')], [['A'], ['B']])
})

testLedger('runs are found by their last change', async ({ client, advance }) => {
  for (const runId of ['A', 'B', 'C']) await client.createRun({ runId })
  advance(1000)
  const { updatedAt } = (await client.updateRun({ runId: 'B', title: 'Changed' })).run
  advance(1000)
  await client.updateRun({ runId: 'A', title: 'Changed later', status: 'in_progress' })
  const find = async (filters: Input<'listRuns'>) => (await client.listRuns(filters)).runs.map(({ runId }) => runId)
  assert.deepEqual(await find({ updatedAfter: updatedAt }), ['A'])
  assert.deepEqual(await find({ updatedBefore: updatedAt }), ['C'])
  assert.deepEqual(await find({ updatedBefore: updatedAt, status: ['in_progress'] }), [])
})

testLedger('a page contains a run once, even if two of its commits match', async ({ client }) => {
  const [one, two] = ['a', 'b'].map((end) => `${'9'.repeat(39)}${end}`) as [string, string]
  await client.createRun({ runId: 'A', git: { commits: [one, two] } })
  await client.createRun({ runId: 'B', git: { commits: [two] } })
  const { runs } = await client.listRuns({ commit: '9999999' })
  assert.deepEqual(
    runs.map(({ runId }) => runId),
    ['B', 'A'],
  )
})

testLedger('a time has a year of four digits in UTC', async ({ client }) => {
  const [late, early] = ['9999-12-31T23:59:59-01:00', '0000-01-01T00:00:00+01:00']
  for (const at of [late, early]) {
    const refused = {
      code: 'VALIDATION_ERROR',
      message: new RegExp(`must be in the years 0000 to 9999 of UTC, not '${at.replace('+', '\\+')}'`),
    }
    await assert.rejects(client.createRun({ status: 'completed', createdAt: at }), refused)
    await assert.rejects(client.createRun({ status: 'completed', startedAt: at }), refused)
    await assert.rejects(client.createKey({ name: 'x', permissions: ['read'], expiresAt: at }), refused)
    await assert.rejects(client.listRuns({ createdBefore: at }), refused)
    await assert.rejects(client.stats({ createdAfter: at }), refused)
  }
  const last = '9999-12-31T23:59:59.999Z'
  const { expiresAt } = (await client.createKey({ name: 'x', permissions: ['read'], expiresAt: last })).key
  assert.equal(expiresAt, last)
  for (const createdAt of ['0000-01-01T00:00:00Z', '2026-01-05T12:00:00Z']) await client.createRun({ createdAt })
  const runs = await Array.fromAsync(client.all('listRuns', { limit: 1, createdBefore: last }))
  assert.deepEqual(
    runs.map(({ createdAt }) => createdAt),
    ['2026-01-05T12:00:00.000Z', '0000-01-01T00:00:00.000Z'],
  )
})

testLedger('imported history keeps the time at which it happened', async ({ client, as }) => {
  const made = { createdAt: '2026-01-05T12:00:00+02:00' }
  const at = '2026-01-05T10:00:00.000Z'
  const { run } = await client.createRun({ status: 'completed', ...made })
  const { check } = await client.createCheck({ runId: run.runId, result: 'pass', ...made })
  const { spec } = await client.createSpec({ specId: 'S', ...made })
  assert.deepEqual([run.createdAt, run.startedAt, run.endedAt, check.createdAt, spec.createdAt], Array(5).fill(at))
  const { events } = await client.listEvents({ after: 0, type: ['run.created', 'check.created', 'spec.created'] })
  assert.deepEqual(
    events.map(({ imported, changes }) => [imported, changes.createdAt]),
    Array(3).fill([true, [null, at]]),
  )
  assert.ok(
    events.every((event) => event.at > at),
    'the log says when it learned of them',
  )
  await client.createRun({})
  const [ordinary] = (await client.listEvents({ order: 'desc' })).events
  assert.deepEqual([ordinary?.imported, ordinary?.changes], [undefined, { status: [null, 'pending'] }])
  const future = new Date(Date.now() + 3_600_000).toISOString()
  await assert.rejects(client.createRun({ createdAt: future }), {
    code: 'VALIDATION_ERROR',
    message: /must not be in the future/,
  })
  const writer = as({ key: (await client.createKey({ name: 'w', permissions: ['write'] })).secret })
  for (const call of [
    () => writer.createRun(made),
    () => writer.createSpec(made),
    () => writer.createCheck({ runId: run.runId, result: 'pass', ...made }),
  ]) {
    await assert.rejects(call(), { code: 'FORBIDDEN', message: /createdAt needs a key with admin/ })
  }
})

testLedger('a row names its creator and the last to change it', async ({ client, as }) => {
  const ada = as({ key: (await client.createKey({ name: 'ada', permissions: ['write'] })).secret })
  const { run } = await ada.createRun({})
  const changed = (await client.updateRun({ runId: run.runId, title: 'x' })).run
  assert.deepEqual(
    [changed.createdBy, changed.updatedBy],
    [
      { kind: 'key', name: 'ada' },
      { kind: 'key', name: 'first admin' },
    ],
  )
  const { spec } = await ada.createSpec({})
  const { check } = await ada.createCheck({ runId: run.runId, result: 'pass' })
  assert.deepEqual([spec.createdBy, check.createdBy], Array(2).fill({ kind: 'key', name: 'ada' }))
})
