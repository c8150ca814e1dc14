import assert from 'node:assert/strict'
import sql, { raw } from 'sql-template-tag'
import type { Client, Input } from '../src/client/client.ts'
import { ConductError } from '../src/client/client.ts'
import type { Db } from '../src/engine/db.ts'
import { attention } from '../src/engine/migrations/attention.ts'
import { type Ledger, testLedger } from './support/engines.ts'

const dayMs = 86_400_000
const ada = 'Ada <ada@example.com>'
const bob = 'Bob <bob@example.com>'

/** What needs attention, as `RUN reason`, the newest first. */
async function needsOf(client: Client, filter: Input<'listAttention'> = {}): Promise<string[]> {
  const { attention = [] } = await client.listAttention(filter)
  return attention.map(({ runId, reason }) => `${runId} ${reason}`)
}

const failed = (client: Client, runId: string, more: Partial<Input<'createRun'>> = {}) =>
  client.createRun({ runId, status: 'failed', ...more })

async function failing(client: Client, runId: string, more: Partial<Input<'createRun'>> = {}): Promise<void> {
  await client.createRun({ runId, status: 'in_progress', ...more })
  await client.createCheck({ runId, name: 'tests', result: 'fail' })
  await client.updateRun({ runId, status: 'completed' })
}

async function verified(client: Client, runId: string, more: Partial<Input<'createRun'>> = {}): Promise<void> {
  await client.createRun({ runId, status: 'in_progress', ...more })
  await client.createCheck({ runId, name: 'tests', result: 'pass' })
  await client.updateRun({ runId, status: 'completed' })
}

const isRefused = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof ConductError && error.code === code && message.test(error.message)

/** The types of the events of attention for a run, in their order. */
async function eventsOf(client: Client, subject: string): Promise<string[]> {
  const { events } = await client.listEvents({ subject, limit: 100 })
  return events.filter(({ type }) => type.startsWith('attention.')).map(({ type }) => type)
}

testLedger('failed, vanished and failing runs need attention, with what is known of them', async (ledger) => {
  const { client, advance } = ledger
  await client.createRun({ runId: 'LOST', leaseSeconds: 10 })
  await client.createRun({ runId: 'FINE', status: 'completed' })
  await failed(client, 'FAILED', { failure: { code: 'BOOM', message: 'It broke.' }, author: ada })
  advance(1)
  await failing(client, 'FAILING', { title: 'Log in', specId: 'S-1', git: { branch: 'login' } })
  advance(11_000)
  await assert.rejects(client.heartbeat({ runId: 'LOST', leaseSeconds: 10 }), isRefused('CONFLICT', /no lease/))
  await client.updateRun({ runId: 'LOST', title: 'Lost' })
  assert.deepEqual(await needsOf(client), ['LOST vanished', 'FAILING failing', 'FAILED failed'])
  assert.deepEqual(await needsOf(client, { reason: ['failed', 'vanished'] }), ['LOST vanished', 'FAILED failed'])
  const { attention = [] } = await client.listAttention({ runId: ['FAILING'] })
  const [{ check, specId, branch, state, run } = assert.fail()] = attention
  assert.deepEqual([attention.length, check, specId, branch, state], [1, 'tests', 'S-1', 'login', 'open'])
  assert.equal(run.title, 'Log in')
  assert.match(run.why ?? '', /tests/)
  assert.deepEqual(await needsOf(client, { author: 'ada@EXAMPLE.com' }), ['FAILED failed'])
})

testLedger(
  'a run that its own key or person cancelled needs no attention, one that others cancelled does',
  async ({ client, as }) => {
    const keyOf = async (name: string, permission: 'agent' | 'write', person?: string) =>
      as({ key: (await client.createKey({ name, permissions: [permission], person })).secret })
    const [agent, hers, his] = [
      await keyOf('agent', 'agent'),
      await keyOf('ada', 'write', 'Ada Example <Ada@example.com>'),
      await keyOf('bob', 'write', bob),
    ]
    const failure = { code: 'CANCELLED', message: 'Cancelled in the dashboard.' }
    for (const runId of ['BY-KEY', 'BY-ADA', 'BY-BOB', 'BROKEN']) {
      await agent.createRun({ runId, status: 'in_progress', author: ada })
      await agent.createCheck({ runId, name: 'tests', result: 'fail' })
    }
    await agent.updateRun({ runId: 'BY-KEY', status: 'failed', failure })
    await hers.updateRun({ runId: 'BY-ADA', status: 'failed', failure })
    await his.updateRun({ runId: 'BY-BOB', status: 'failed', failure })
    await hers.updateRun({ runId: 'BROKEN', status: 'failed' })
    assert.deepEqual((await needsOf(client)).sort(), ['BROKEN failed', 'BY-BOB failed'])
    await his.updateRun({ runId: 'BY-ADA', labels: { seen: 'yes' } })
    assert.deepEqual((await needsOf(client)).sort(), ['BROKEN failed', 'BY-BOB failed'])
  },
)

testLedger('a run that is mended, resumed or deleted leaves the list', async ({ client }) => {
  await failing(client, 'A')
  await failed(client, 'B')
  await failed(client, 'C')
  await client.createCheck({ runId: 'A', name: 'tests', result: 'pass' })
  await client.updateRun({ runId: 'B', status: 'in_progress' })
  await client.deleteRun({ runId: 'C' })
  assert.deepEqual(await needsOf(client), [])
  for (const runId of ['A', 'B', 'C']) {
    assert.deepEqual(await eventsOf(client, runId), ['attention.created', 'attention.cleared'], runId)
  }
})

testLedger('a later good run of the same branch, spec or chain of attempts clears what came before', async (ledger) => {
  const { client, advance, as } = ledger
  await client.createProject({ slug: 'shop' })
  const shop = as({ project: 'shop' })
  const git = { branch: 'login' }
  await failed(client, 'BRANCH', { git })
  await failing(client, 'BRANCH-TESTS', { git })
  await failed(client, 'SPEC', { specId: 'S-1' })
  await failed(client, 'TRIED')
  await failed(client, 'AGAIN', { retryOf: 'TRIED' })
  await failed(client, 'OTHER', { git: { branch: 'else' } })
  await failed(shop, 'FAR', { git, specId: 'S-1' })
  advance(1)
  const all = await needsOf(client, { project: ['default'] })
  assert.equal(all.length, 6)
  // Without a check, it says nothing of the tests.
  await client.createRun({ runId: 'GOOD', status: 'completed', git, specId: 'S-1' })
  assert.deepEqual((await needsOf(client)).sort(), [
    ...['AGAIN failed', 'BRANCH-TESTS failing', 'FAR failed', 'OTHER failed', 'TRIED failed'],
  ])
  await verified(client, 'BETTER', { git })
  await client.createRun({ runId: 'THIRD', status: 'completed', retryOf: 'AGAIN' })
  assert.deepEqual((await needsOf(client)).sort(), ['FAR failed', 'OTHER failed'])
  // An earlier run says nothing of later ones.
  await client.createRun({ runId: 'EARLY', status: 'in_progress', specId: 'S-2' })
  advance(1)
  await failed(client, 'LATE', { specId: 'S-2' })
  await client.updateRun({ runId: 'EARLY', status: 'completed' })
  assert.deepEqual(await needsOf(client, { project: ['default'] }), ['LATE failed', 'OTHER failed'])
})

testLedger('a run that failed and whose checks fail leaves the list only once they pass', async ({ client }) => {
  const git = { branch: 'login' }
  await client.createRun({ runId: 'BOTH', status: 'in_progress', git })
  await client.createCheck({ runId: 'BOTH', name: 'tests', result: 'fail' })
  await client.updateRun({ runId: 'BOTH', status: 'failed', failure: { code: 'INTERRUPTED', message: 'Stopped.' } })
  await client.createRun({ runId: 'REVIEW', status: 'completed', git })
  assert.deepEqual(await needsOf(client), ['BOTH failed'])
  await verified(client, 'FIX', { git })
  assert.deepEqual(await needsOf(client), [])
})

testLedger('a claim does not clear what somebody else saw fail', async ({ client, as }) => {
  const ci = as({ key: (await client.createKey({ name: 'ci', permissions: ['agent'] })).secret })
  const specId = 'S-1'
  await client.createRun({ runId: 'A', status: 'completed', specId })
  await ci.createCheck({ runId: 'A', name: 'tests', result: 'fail' })
  await failing(client, 'B', { specId })
  await verified(client, 'CLAIMED', { specId })
  assert.deepEqual(await needsOf(client), ['A failing'])
  await ci.createCheck({ runId: 'CLAIMED', name: 'tests', result: 'pass' })
  assert.deepEqual(await needsOf(client), [])
})

testLedger(
  'a failure that somebody sees after a claim had cleared it needs attention',
  async ({ client, as, advance }) => {
    const ci = as({ key: (await client.createKey({ name: 'ci', permissions: ['agent'] })).secret })
    await failing(client, 'A', { specId: 'S-1' })
    advance(1)
    await verified(client, 'CLAIMED', { specId: 'S-1' })
    assert.deepEqual(await needsOf(client), [])
    await ci.createCheck({ runId: 'A', name: 'tests', result: 'fail' })
    assert.deepEqual(await needsOf(client), ['A failing'])
  },
)

testLedger('an agent at work on a run hides it, and what was decided stays', async ({ client }) => {
  await client.createRun({ runId: 'A', leaseSeconds: 60, leaseToken: 'l'.repeat(32) })
  const beat = (state: 'working' | 'idle') =>
    client.heartbeat({ runId: 'A', leaseToken: 'l'.repeat(32), activity: { state } })
  await beat('working')
  await client.createCheck({ runId: 'A', result: 'fail' })
  assert.deepEqual(await needsOf(client), [])
  assert.deepEqual(await eventsOf(client, 'A'), [])
  await beat('idle')
  assert.deepEqual(await needsOf(client), ['A failing'])
  await client.updateAttention({ runIds: ['A'], note: 'The clock.' })
  await beat('working')
  assert.deepEqual(await needsOf(client), [])
  await beat('idle')
  const { attention = [] } = await client.listAttention({})
  assert.equal(attention[0]?.note, 'The clock.')
})

testLedger('people resolve, assign, put off and note runs, several at once', async (ledger) => {
  const { client, advance, store } = ledger
  for (const runId of ['A', 'B', 'C']) await failed(client, runId)
  const { attention } = await client.updateAttention({ runIds: ['A', 'B'], resolved: true, note: 'Known.' })
  assert.deepEqual(
    attention.map(({ state, note, resolvedBy }) => [state, note, resolvedBy?.kind]),
    [
      ['resolved', 'Known.', 'key'],
      ['resolved', 'Known.', 'key'],
    ],
  )
  assert.deepEqual(await needsOf(client), ['C failed'])
  await client.updateAttention({ runIds: ['A'], resolved: false, note: null, assignee: ada })
  const until = new Date(Date.parse(store.now()) + dayMs).toISOString()
  await client.updateAttention({ runIds: ['C'], until })
  assert.deepEqual(await needsOf(client), ['A failed'])
  assert.deepEqual(await needsOf(client, { state: 'put-off' }), ['C failed'])
  assert.deepEqual(await needsOf(client, { state: 'resolved' }), ['B failed'])
  assert.deepEqual(await needsOf(client, { assignee: ada }), ['A failed'])
  const { events } = await client.listEvents({ subject: 'A', type: ['attention.updated'] })
  assert.deepEqual(
    events.map(({ changes: { resolvedAt, ...others } }) => [others, resolvedAt?.map(Boolean)]),
    [
      [{ note: [null, 'Known.'] }, [false, true]],
      [{ note: ['Known.', null], assignee: [null, ada] }, [true, false]],
    ],
  )
  // Once more changes nothing.
  await client.updateAttention({ runIds: ['A'], assignee: ada })
  assert.deepEqual(await eventsOf(client, 'A'), ['attention.created', 'attention.updated', 'attention.updated'])
  advance(dayMs)
  await (await ledger.openAgain()).close()
  assert.deepEqual((await needsOf(client)).sort(), ['A failed', 'C failed'])
  assert.deepEqual(await eventsOf(client, 'C'), ['attention.created', 'attention.updated', 'attention.updated'])
})

testLedger('a resolved run that fails anew needs attention again', async ({ client, advance }) => {
  await failed(client, 'A')
  await failing(client, 'B')
  await client.updateAttention({ runIds: ['A', 'B'], resolved: true, assignee: bob })
  await client.updateRun({ runId: 'A', title: 'Renamed' })
  await client.createCheck({ runId: 'B', name: 'tests', result: 'fail' })
  assert.deepEqual(await needsOf(client), [])
  advance(1)
  await client.createCheck({ runId: 'B', name: 'lint', result: 'fail' })
  await client.updateRun({ runId: 'A', status: 'in_progress' })
  await client.updateRun({ runId: 'A', status: 'failed' })
  assert.deepEqual((await needsOf(client)).sort(), ['A failed', 'B failing'])
  const { attention = [] } = await client.listAttention({ runId: ['B'] })
  assert.deepEqual([attention[0]?.check, attention[0]?.assignee], ['lint', bob])
})

testLedger(
  'a resolved run whose check fails again after more work needs attention again',
  async ({ client, advance }) => {
    const [one, two] = ['1'.repeat(40), '2'.repeat(40)]
    await client.createRun({ runId: 'A', status: 'completed', git: { tree: one } })
    await client.createCheck({ runId: 'A', name: 'tests', result: 'fail', tree: one })
    await client.updateAttention({ runIds: ['A'], resolved: true })
    advance(1)
    await client.updateRun({ runId: 'A', git: { tree: two } })
    assert.deepEqual(await needsOf(client), [])
    await client.createCheck({ runId: 'A', name: 'tests', result: 'fail', tree: two })
    assert.deepEqual(await needsOf(client), ['A failing'])
  },
)

testLedger('what a change must not be is refused', async (ledger) => {
  const { client, as, store } = ledger
  await failed(client, 'A')
  await client.createRun({ runId: 'FINE' })
  const write = as({ key: (await client.createKey({ name: 'w', permissions: ['write'] })).secret })
  const agent = as({ key: (await client.createKey({ name: 'a', permissions: ['agent'] })).secret })
  const later = new Date(Date.parse(store.now()) + dayMs).toISOString()
  const update = (input: Omit<Input<'updateAttention'>, 'runIds'>, by = write) =>
    by.updateAttention({ runIds: ['A'], ...input })
  await assert.rejects(update({ until: store.now() }), isRefused('VALIDATION_ERROR', /future/))
  await assert.rejects(update({ until: later, resolved: true }), isRefused('VALIDATION_ERROR', /either/))
  await assert.rejects(update({ assignee: 'Ada' }), isRefused('VALIDATION_ERROR', /mail/))
  await assert.rejects(update({ assignee: 'me' }), isRefused('VALIDATION_ERROR', /person/))
  await assert.rejects(update({ note: 'x' }, agent), isRefused('FORBIDDEN', /write/))
  await assert.rejects(write.listAttention({ mine: true }), isRefused('VALIDATION_ERROR', /person/))
  await assert.rejects(write.listAttention({ author: 'Ada' }), isRefused('VALIDATION_ERROR', /mail/))
  await assert.rejects(write.updateAttention({ runIds: ['NONE'] }), isRefused('NOT_FOUND', /NONE/))
  assert.deepEqual(await write.updateAttention({ runIds: ['FINE'], resolved: true }), { attention: [] })
})

testLedger('mine is what the caller is the author of, or is assigned to', async ({ client, as }) => {
  const key = await client.createKey({ name: 'ada', permissions: ['write'], person: ada })
  const hers = as({ key: key.secret })
  await failed(client, 'HERS', { author: ada })
  await failed(client, 'HIS', { author: bob })
  await failed(client, 'GIVEN', { author: bob })
  await failed(client, 'BOTH', { author: ada })
  await failed(client, 'NOBODYS')
  await hers.updateAttention({ runIds: ['GIVEN', 'BOTH'], assignee: 'me' })
  assert.deepEqual((await needsOf(hers, { mine: true })).sort(), ['BOTH failed', 'GIVEN failed', 'HERS failed'])
  assert.deepEqual(await needsOf(hers, { mine: true, reason: ['failing'] }), [])
  const { grouped = [], count } = await hers.listAttention({ mine: true, group: 'person' })
  assert.deepEqual(
    grouped.map(({ by, key, count }) => [by, key, count]),
    [['person', ada, 3]],
  )
  assert.equal(count, 3)
  const { grouped: everyone = [] } = await client.listAttention({ group: 'person' })
  assert.deepEqual(everyone.map(({ key, count }) => [key, count]).sort(), [
    [null, 1],
    [ada, 3],
    [bob, 1],
  ])
})

testLedger('authors without an email address are grouped by their names', async ({ client, advance }) => {
  for (const [runId, author] of Object.entries({ A: 'Ada', B: 'Bob', C: null, D: 'Ada', E: ada })) {
    await failed(client, runId, { author })
    advance(1)
  }
  const { grouped = [] } = await client.listAttention({ group: 'person' })
  assert.deepEqual(
    grouped.map(({ key, runIds }) => [key, runIds]),
    [
      [ada, ['E']],
      ['Ada', ['D', 'A']],
      [null, ['C']],
      ['Bob', ['B']],
    ],
  )
})

testLedger('groups have what is probably one problem, page by page', async ({ client, advance }) => {
  const make = async (runId: string, more: Partial<Input<'createRun'>>) => {
    advance(1)
    await failed(client, runId, more)
  }
  for (let n = 1; n <= 5; n++) await make(`S-${n}`, { specId: 'AUTH-001', git: { branch: `b-${n}` } })
  await make('B-1', { git: { branch: 'login' } })
  await make('B-2', { git: { branch: 'login' } })
  await make('ALONE', {})
  advance(1)
  await failing(client, 'TESTS', { specId: 'AUTH-001' })
  const shown = async (input: Input<'listAttention'>) => {
    const { grouped = [], meta } = await client.listAttention(input)
    return { groups: grouped.map(({ by, key, count, reason }) => `${by} ${key} ${count} ${reason}`), meta }
  }
  const bySpec = ['spec AUTH-001 6 failing', 'run ALONE 1 failed', 'branch login 2 failed']
  assert.deepEqual((await shown({ group: 'spec' })).groups, bySpec)
  assert.deepEqual((await shown({ group: 'check' })).groups, ['check tests 1 failing', 'reason failed 8 failed'])
  assert.equal((await shown({ group: 'branch' })).groups.length, 8)
  const first = await shown({ group: 'spec', limit: 2 })
  const second = await shown({ group: 'spec', limit: 2, cursor: first.meta.nextCursor })
  assert.deepEqual([...first.groups, ...second.groups], bySpec)
  assert.equal(second.meta.hasMore, false)
  const { grouped = [], count, isPartial } = await client.listAttention({ group: 'spec' })
  assert.deepEqual(grouped[0]?.runIds, ['TESTS', 'S-5', 'S-4', 'S-3', 'S-2', 'S-1'])
  assert.deepEqual(
    grouped[0]?.attention.map(({ runId }) => runId),
    ['TESTS', 'S-5', 'S-4'],
  )
  assert.deepEqual([count, isPartial], [9, false])
  const { attention = [], meta } = await client.listAttention({ limit: 4 })
  const rest = await client.listAttention({ limit: 100, cursor: meta.nextCursor })
  assert.equal(new Set([...attention, ...(rest.attention ?? [])].map(({ id }) => id)).size, 9)
})

testLedger('what an import brings is news for 14 days, unless a later run made it good', async (ledger: Ledger) => {
  const { client, store } = ledger
  const ago = (days: number) => new Date(Date.parse(store.now()) - days * dayMs).toISOString()
  const bring = (runId: string, days: number, more: Partial<Input<'createRun'>>) =>
    client.createRun({ runId, createdAt: ago(days), startedAt: ago(days), endedAt: ago(days), ...more })
  await bring('OLD', 15, { status: 'failed' })
  await bring('NEW', 13, { status: 'failed' })
  await bring('GOOD', 3, { status: 'completed', specId: 'S-1' })
  await bring('MENDED', 5, { status: 'failed', specId: 'S-1' })
  await bring('AFTER', 2, { status: 'failed', specId: 'S-1' })
  assert.deepEqual(await needsOf(client), ['AFTER failed', 'NEW failed'])
})

testLedger('an upgrade puts the runs of the last 14 days on the list', async ({ client, advance, store }) => {
  await failed(client, 'OLD')
  await client.createRun({ runId: 'LOST', leaseSeconds: 10 })
  await failed(client, 'FAILED', { author: ada, specId: 'S-1' })
  await failed(client, 'MENDED', { git: { branch: 'b' } })
  advance(60_000)
  await client.updateRun({ runId: 'LOST', title: 'Lost' })
  await failing(client, 'FAILING')
  await client.createRun({ runId: 'GOOD', status: 'completed', git: { branch: 'b' } })
  const expected = ['FAILING failing', 'LOST vanished', 'FAILED failed']
  assert.deepEqual(await needsOf(client), [...expected, 'OLD failed'])
  const { db } = store
  await db.tx((tx) => tx.query(sql`update runs set ended_at = '2020-01-01T00:00:00.000Z' where run_id = 'OLD'`))
  await refill(db)
  assert.deepEqual(await needsOf(client), expected)
  assert.deepEqual(await needsOf(client, { author: ada }), ['FAILED failed'])
})

testLedger(
  'an upgrade looks once for the good run of a branch, however many runs it has',
  async ({ client, store }) => {
    await failed(client, 'R', { git: { branch: 'main' }, specId: 'S-1' })
    const { db } = store
    const [row = {}] = await db.query<Record<string, unknown>>(sql`select * from runs`)
    const same = raw(
      Object.keys(row)
        .filter((name) => !['id', 'run_id'].includes(name))
        .join(', '),
    )
    await db.tx(async (tx) => {
      await tx.query(sql`
      insert into runs (run_id, ${same})
      with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 40000)
      select 'R-' || n, ${same} from numbers cross join runs where run_id = 'R'`)
    })
    await client.createRun({ runId: 'GOOD', status: 'completed', git: { branch: 'main' } })
    await failed(client, 'AFTER', { git: { branch: 'main' } })
    const begun = performance.now()
    await refill(db)
    assert.ok(performance.now() - begun < 20_000)
    assert.deepEqual(await needsOf(client), ['AFTER failed'])
  },
)

/** Makes the list anew, as the upgrade to the first version with it does. */
async function refill(db: Db): Promise<void> {
  await db.tx(async (tx) => {
    await tx.query(sql`drop table attention`)
    for (const step of attention(db.dialect)) {
      if (typeof step === 'function') await step(tx, () => {})
      else await tx.query(raw(String(step)))
    }
  })
}

testLedger('erasing takes notes, assignees and names of checks, also from the log', async ({ client }) => {
  await failing(client, 'A', { git: { branch: 'secret-branch' } })
  await failing(client, 'B')
  await client.updateAttention({ runIds: ['A'], assignee: ada, note: 'Ask the secret client.' })
  await client.updateAttention({ runIds: ['B'], assignee: ada, note: 'Word: hush.' })
  await client.erase({ runId: 'A' })
  await client.erase({ text: 'hush' })
  const { attention = [] } = await client.listAttention({})
  assert.deepEqual(
    attention.map(({ runId, note, assignee, branch, check }) => [runId, note, assignee, branch, check]).sort(),
    [
      ['A', '[erased]', '[erased]', '[erased]', 'tests'],
      ['B', '[erased]', ada, null, 'tests'],
    ],
  )
  const log = JSON.stringify((await client.listEvents({ limit: 100 })).events)
  assert.doesNotMatch(log, /secret|hush/)
  await client.erase({ text: 'tests' })
  const { attention: after = [] } = await client.listAttention({ runId: ['B'] })
  assert.match(after[0]?.check ?? '', /^\[erased\] \d+$/)
})
