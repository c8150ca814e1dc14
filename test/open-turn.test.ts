import assert from 'node:assert/strict'
import sql from 'sql-template-tag'
import type { Client, Input } from '../src/client/client.ts'
import { indexMore } from '../src/find/follow.ts'
import { reap } from '../src/nouns/run/take-lease.ts'
import { emptyNext, newPlace } from '../src/removal/empty-project.ts'
import { retentionJob } from '../src/server/jobs/retention.ts'
import { verify } from '../src/verify/verify.ts'
import { type Ledger, testLedger } from './support/engines.ts'
import { eraseAll } from './support/erased.ts'
import { exportOf, importAt, openAt } from './support/exported.ts'

const startedAt = '2026-01-31T09:30:00.000Z'
const opening = { prompt: 'Let people log in with a passkey.', startedAt, model: 'm-1' }

const seen = {
  model: 'm-1',
  tools: [{ name: 'Edit', count: 2 }],
  files: [{ path: 'src/login.ts' }, { path: 'src/form.ts', insertions: 3 }],
  commands: [{ command: 'npm test', exitCode: 1, durationMs: 3200 }],
  plan: [{ text: 'button', status: 'in_progress' as const }],
  agents: [{ name: 'reviewer' }],
  usage: { inputTokens: 100, outputTokens: 10 },
}

/** A run with a lease, as a recorder holds it, and an open turn. */
async function working(client: Client, runId = 'R', more: Partial<Input<'appendTurn'>> = {}) {
  const { lease } = await client.createRun({ runId, title: 'A session', leaseSeconds: 600 })
  const held = { runId, leaseToken: lease?.token ?? '' }
  await client.appendTurn({ ...held, n: 1, open: true, ...opening, ...more })
  return held
}

const turnsOf = async (client: Client, runId = 'R') => (await client.getRun({ runId })).run.turns
const found = async (client: Client, q: string) => (await client.search({ q })).results.map(({ subject }) => subject)
const typesOf = async (client: Client) =>
  (await client.listEvents({ limit: 100 })).events.map(({ type, subject }) => `${type} ${subject}`)

testLedger(
  'an open turn shows its prompt, then what stands so far, until it is closed',
  async ({ client, advance }) => {
    const held = await working(client)
    const { runId } = held
    const { open } = await turnsOf(client)
    const { id, createdAt, ...told } = open ?? assert.fail('no turn is open')
    const by = { kind: 'key', name: 'first admin' }
    const head = { project: 'default', runId, n: 1, ...opening, open: true, createdBy: by }
    assert.deepEqual(told, { ...head, seenAt: createdAt })
    assert.equal((await turnsOf(client)).count, 0, 'only closed turns count')
    const { run } = await client.getRun({ runId })
    assert.deepEqual([run.activity?.state, run.activity?.turnSince, run.version], ['working', startedAt, 1])

    advance(5_000)
    const { lastSeq } = (await client.listEvents({ limit: 100 })).meta
    await client.heartbeat({ ...held, turn: { n: 1, ...seen, commands: [] } })
    const { run: after } = await client.heartbeat({ ...held, turn: { n: 1, ...seen } })
    assert.equal(after.version, 1)
    assert.equal((await client.listEvents({ limit: 100 })).meta.lastSeq, lastSeq, 'a heartbeat is no event')
    const { turn } = await client.getTurn({ runId, n: 1 })
    assert.deepEqual(turn, { ...head, ...seen, id, createdAt, seenAt: after.lastSeenAt })
    assert.deepEqual((await client.listTurns({ runId })).turns, [turn])

    await client.appendTurn({ ...held, n: 1, ...opening, answer: 'Done.', endedAt: '2026-01-31T09:40:00.000Z' })
    const closed = (await client.getTurn({ runId, n: 1 })).turn
    assert.deepEqual([closed.id, closed.open, closed.seenAt, closed.answer], [id, undefined, undefined, 'Done.'])
    assert.equal(closed.commands, undefined, 'what was seen is replaced by what the recorder says at the end')
    assert.deepEqual([(await turnsOf(client)).open, (await turnsOf(client)).count], [undefined, 1])
    assert.deepEqual(await typesOf(client), [
      ...['project.created default', 'key.created 1', 'run.created R', 'turn.opened R/1'],
      ...['turn.created R/1', 'run.updated R', 'run.idle R'],
    ])
    const { events } = await client.listEvents({ type: ['turn.opened', 'turn.created'] })
    const [opened, created] = events
    assert.deepEqual([opened?.subjectId, created?.subjectId], [id, id])
    assert.deepEqual(opened?.changes.prompt, created?.changes.prompt, 'the log has the digest of the prompt')
  },
)

testLedger('opening is repeated without harm, and only the next turn can be opened', async ({ client }) => {
  const held = await working(client)
  const open = (more: Partial<Input<'appendTurn'>>) =>
    client.appendTurn({ ...held, n: 1, open: true, ...opening, ...more })
  await client.heartbeat({ ...held, turn: { n: 1, ...seen } })
  assert.deepEqual((await open({})).turn.commands, seen.commands)
  await assert.rejects(open({ prompt: 'Another' }), {
    code: 'CONFLICT',
    message: /another open turn 1: close it first/,
  })
  await assert.rejects(open({ n: 2, prompt: 'Then' }), {
    code: 'CONFLICT',
    message: /next turn of run 'R' is 1, not 2/,
  })
  await assert.rejects(open({ answer: 'Done.' }), {
    code: 'VALIDATION_ERROR',
    message: /answer: cannot be given with open/,
  })
  await assert.rejects(open({ startedAt: '2100-01-01T00:00:00.000Z' }), { code: 'VALIDATION_ERROR' })
  await client.appendTurn({ ...held, n: 1, ...opening, answer: 'Done.' })
  assert.equal((await open({})).turn.answer, 'Done.', 'a turn that is closed stays closed')
  await assert.rejects(open({ prompt: 'Another' }), { code: 'CONFLICT', message: /has another turn 1/ })
  assert.equal((await turnsOf(client)).open, undefined)
  await client.heartbeat({ ...held, turn: { n: 1, ...seen } })
  await client.heartbeat({ ...held, turn: seen })
  assert.equal((await client.getTurn({ runId: 'R', n: 1 })).turn.commands, undefined, 'a late heartbeat is ignored')

  const { turn } = await client.appendTurn({ ...held, open: true, prompt: 'Next' })
  await client.heartbeat({ ...held, turn: { files: [{ path: 'a.ts' }] } })
  assert.deepEqual([turn.n, (await turnsOf(client)).open?.files], [2, [{ path: 'a.ts' }]])
  const { turn: last } = await client.appendTurn({ ...held, prompt: 'Next', answer: 'Yes.' })
  assert.deepEqual([last.n, last.id, (await turnsOf(client)).open], [2, turn.id, undefined])
})

testLedger('turns that nobody opened are added beside open ones of other runs', async ({ client }) => {
  await working(client)
  const { runId } = (await client.createRun({})).run
  await client.appendTurn({ runId, n: 1, prompt: 'One' })
  assert.equal((await client.appendTurn({ runId, n: 2, prompt: 'Two' })).turn.n, 2)
  assert.equal((await turnsOf(client)).open?.n, 1)
})

testLedger('lists have the open turn last, page by page', async ({ client }) => {
  const held = await working(client)
  await client.appendTurn({ ...held, n: 1, ...opening })
  await client.appendTurn({ ...held, n: 2, prompt: 'Two' })
  await client.appendTurn({ ...held, n: 3, prompt: 'Three', open: true })
  const numbers = async (order: 'asc' | 'desc', limit: number) =>
    (await Array.fromAsync(client.all('listTurns', { runId: 'R', order, limit }))).map(({ n, open }) => [n, open])
  const all = [
    [1, undefined],
    [2, undefined],
    [3, true],
  ]
  for (const limit of [1, 2, 3, 100]) {
    assert.deepEqual(await numbers('asc', limit), all)
    assert.deepEqual(await numbers('desc', limit), all.toReversed())
  }
})

testLedger('only the holder of the lease, with its own run, opens turns and shows them', async ({ client, as }) => {
  await working(client)
  const { secret } = await client.createKey({ name: 'other', permissions: ['agent'] })
  const { secret: reader } = await client.createKey({ name: 'reader', permissions: ['read'] })
  const [other, reads] = [as({ key: secret }), as({ key: reader })]
  assert.equal((await reads.getTurn({ runId: 'R', n: 1 })).turn.prompt, opening.prompt)
  await assert.rejects(other.appendTurn({ runId: 'R', open: true, prompt: 'x' }), { code: 'FORBIDDEN' })
  await assert.rejects(other.heartbeat({ runId: 'R', turn: seen }), { code: 'FORBIDDEN' })
  await assert.rejects(reads.appendTurn({ runId: 'R', open: true }), { code: 'FORBIDDEN' })
  await assert.rejects(client.appendTurn({ runId: 'R', open: true }), { code: 'LEASE_HELD' })
  await assert.rejects(client.heartbeat({ runId: 'R', turn: seen }), { code: 'LEASE_HELD' })
})

testLedger('a run whose lease expired keeps what was seen, until its recorder comes back', async (ledger) => {
  const { client, store, advance } = ledger
  const held = await working(client)
  await client.heartbeat({ ...held, turn: { n: 1, ...seen } })
  advance(700_000)
  await reap(store.db, store.now())
  const { run } = await client.getRun({ runId: 'R' })
  assert.deepEqual([run.status, run.failure?.code, run.activity], ['failed', 'LEASE_EXPIRED', null])
  assert.deepEqual([run.turns.open?.open, run.turns.open?.files], [true, seen.files])
  await client.appendTurn({ ...held, n: 1, ...opening, answer: 'Done.' })
  const { run: resumed } = await client.getRun({ runId: 'R' })
  assert.deepEqual(
    [resumed.status, resumed.turns.open, resumed.turns.last?.answer],
    ['in_progress', undefined, 'Done.'],
  )
})

testLedger('search finds the prompt of an open turn, also once it is closed', async (ledger) => {
  const { client, store } = ledger
  const held = await working(client)
  assert.deepEqual(await found(client, 'passkey'), ['R/1'])
  while (await indexMore(store.db, 5));
  const [hit] = (await client.search({ q: 'log passkey' })).results
  assert.deepEqual([hit?.type, hit?.title, hit?.project], ['turn', opening.prompt, 'default'])
  await client.appendTurn({ ...held, n: 1, ...opening, answer: 'The form has a button.' })
  for (const _ of ['before', 'after']) {
    assert.deepEqual(await found(client, 'passkey button'), ['R/1', 'R'])
    while (await indexMore(store.db, 5));
  }
})

/** The rows of all tables that contain a word. */
async function isKept({ store: { db }, client }: Ledger, word: string): Promise<boolean> {
  const rows = await db.query(sql`
    select 1 as one from open_turns where facts like ${`%${word}%`} or prompt like ${`%${word}%`} or title like ${`%${word}%`}`)
  const hits = await found(client, word)
  const [indexed] = await db.query(sql`
    select 1 as one from search_words where ${db.dialect.matches(sql`search_words`, { groups: [[`w${word}`]] })}`)
  return rows.length > 0 || hits.length > 0 || indexed !== undefined
}

for (const [what, input] of [
  ['a text', { text: 'geheim' }],
  ['a run', { runId: 'R' }],
  ['a project', { everything: true }],
] as const) {
  testLedger(`erasing ${what} erases an open turn`, async (ledger) => {
    const { client, store } = ledger
    const held = await working(client, 'R', { prompt: 'Store geheim' })
    const facts = { ...seen, files: [{ path: 'src/geheim.ts' }], commands: [{ command: 'echo geheim' }] }
    await client.heartbeat({ ...held, turn: { n: 1, ...facts } })
    while (await indexMore(store.db, 5));
    assert.equal((await eraseAll(client, { ...input, dryRun: true })).runs, 1)
    assert.equal(await isKept(ledger, 'geheim'), true)
    assert.equal((await eraseAll(client, input)).runs, 1)
    assert.equal(await isKept(ledger, 'geheim'), false)
    const { turn } = await client.getTurn({ runId: 'R', n: 1 })
    assert.deepEqual([turn.prompt, turn.files, turn.model], ['[erased]', [{ path: '[erased]' }], 'm-1'])
    assert.ok(turn.erasedAt)
    assert.equal((await client.appendTurn({ ...held, n: 1, open: true, ...opening })).turn.erasedAt, turn.erasedAt)
    assert.equal((await eraseAll(client, input)).runs, 0, 'nothing is left to erase')
    assert.deepEqual((await verify(client, [])).faults, [])
  })
}

testLedger('retention removes the texts of a turn whose end was lost', async (ledger) => {
  const { client, store, advance } = ledger
  const held = await working(client, 'R', { prompt: 'Store geheim' })
  await client.heartbeat({ ...held, turn: { n: 1, commands: [{ command: 'echo geheim' }] } })
  await client.updateRun({ ...held, status: 'failed' })
  await client.updateProject({ slug: 'default', retention: { contentDays: 1 } })
  advance(3 * 86_400_000)
  const job = retentionJob(store)
  while (await job.step(5));
  assert.equal(await isKept(ledger, 'geheim'), false)
  assert.equal((await client.getTurn({ runId: 'R', n: 1 })).turn.prompt, '[erased]')
})

testLedger('an open turn goes away with its run and its project', async (ledger) => {
  const { client, store, as } = ledger
  const held = await working(client, 'R', { prompt: 'Store geheim' })
  while (await indexMore(store.db, 5));
  await client.deleteRun(held)
  while (await indexMore(store.db, 5));
  assert.equal(await isKept(ledger, 'geheim'), false)
  assert.deepEqual((await typesOf(client)).slice(-2), ['turn.deleted R/1', 'run.deleted R'])

  await client.createProject({ slug: 'shop' })
  await working(as({ project: 'shop' }), 'S', { prompt: 'Store geheim' })
  while (await indexMore(store.db, 5));
  await client.deleteProject({ slug: 'shop', confirm: 'shop' })
  const place = newPlace()
  while (await emptyNext(store.db, store.now(), place));
  while (await indexMore(store.db, 5));
  assert.equal(await isKept(ledger, 'geheim'), false)
})

testLedger('an export has no open turn, and the ledger that imports it takes the turn later', async (ledger, t) => {
  const { client, advance } = ledger
  await working(client, 'R', { prompt: 'Store geheim' })
  advance(61_000)
  await client.getCheckpoint()
  const text = await exportOf(ledger.store, true)
  assert.ok(!text.includes('geheim'))
  const { url } = await ledger.engine.ledger(t)
  await importAt(url, text)
  const moved = (await openAt(t, url)).as(ledger.adminKey)
  assert.deepEqual((await moved.getRun({ runId: 'R' })).run.turns, { count: 0 })
  const { lease } = await moved.createRun({ runId: 'S', leaseSeconds: 600 })
  const held = { runId: 'S', leaseToken: lease?.token ?? '' }
  const { turn: open } = await moved.appendTurn({ ...held, n: 1, open: true, ...opening })
  const opened = (await moved.listEvents({ type: ['turn.opened'] })).events.map(({ subjectId }) => subjectId)
  assert.equal(new Set(opened).size, 2, 'no id is used twice')
  const { turn } = await moved.appendTurn({ ...held, n: 1, ...opening })
  assert.equal(turn.id, open.id)
})
