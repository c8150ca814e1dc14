import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { QueuedCall } from '../../src/capture/spool/calls.ts'
import { deliver } from '../../src/capture/spool/deliver.ts'
import { reconnect } from '../../src/capture/spool/sender.ts'
import { stateOf } from '../../src/capture/spool/state-file.ts'
import type { ClientOptions } from '../../src/client/client.ts'
import type { Place } from '../../src/place/place.ts'
import { writeProfiles } from '../../src/place/profile.ts'
import { base, type Ledger, testLedger } from '../support/engines.ts'
import { freshFolder, homeOf, waitingIn } from './folder.ts'
import { conduct } from './program.ts'

const name = 'exec-1'
let keys = 0
const call = (operation: QueuedCall['operation'], input: QueuedCall['input']): QueuedCall => ({
  operation,
  input,
  key: `key-${++keys}`,
})
const append = (text: string) => call('appendToRun', { text })
const begin = () => call('createRun', { leaseSeconds: 10, title: 'Build' })
const end = () => call('updateRun', { status: 'completed', changes: { files: 2 } })
const lines = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => append(`line ${from + i}\n`))
const textOf = (to: number) => Array.from({ length: to }, (_, i) => `line ${i}\n`).join('')

const place: Place = { kind: 'server', url: base, profile: undefined, project: undefined }

/** What happens before and after each call, and the calls that were sent. */
interface Network {
  before?: () => unknown
  after?: () => unknown
  calls: { operation: string; offset?: number; idempotencyKey?: string }[]
}

/** The state of a machine that records into that ledger, over a network that the test can break. */
function machine(t: TestContext, { as, store }: Ledger, key?: string, project?: string) {
  const env = homeOf(freshFolder(t))
  const state = stateOf(env)
  t.after(() => state.close())
  state.record({ name, kind: 'exec', place: { ...place, project }, cwd: '/' })
  const network: Network = { calls: [] }
  const options: Partial<ClientOptions> = {
    ...(key !== undefined && { key }),
    ...(project !== undefined && { project }),
  }
  const inner = as(options)
  const connect = async () => ({ client: broken, [Symbol.asyncDispose]: async () => {} })
  const through =
    (operation: string, inside: (input: object, more: object) => Promise<unknown>) =>
    async (input: object, more: object) => {
      await network.before?.()
      network.calls.push({ operation, ...input, ...more })
      const answer = await inside(input, more)
      await network.after?.()
      return answer
    }
  const broken = Object.fromEntries(
    Object.entries(inner).map(([operation, inside]) => [
      operation,
      through(operation, inside as Parameters<typeof through>[1]),
    ]),
  ) as unknown as typeof inner
  void store
  return { state, network, send: () => deliver(state, name, { connect }) }
}

const lost = (): never => {
  throw new Error('The connection is lost.')
}

testLedger('what the recorder dropped arrives once', async (ledger, t) => {
  const { state, network, send } = machine(t, ledger)
  const gap = { bytes: 49, lines: 7 }
  state.queue(name, begin(), ...lines(0, 2), call('appendToRun', { text: 'line 9\n', dropped: gap }), ...lines(10, 12))
  let turn = 0
  network.after = () => turn++ % 2 === 0 && lost()
  while (state.next(name)) await send()
  const { run } = await ledger.client.getRun({ runId: 'RUN-001' })
  assert.equal(run.content, 'line 0\nline 1\n\n[49 bytes dropped here: 7 lines]\nline 9\nline 10\nline 11\n')
  assert.deepEqual((await ledger.client.readContent({ runId: 'RUN-001' })).dropped, gap)
})

testLedger('calls arrive once and in order, whether the request or the response is lost', async (ledger, t) => {
  const { state, network, send } = machine(t, ledger)
  state.queue(name, begin(), ...lines(0, 20), end())
  for (let turn = 0; state.next(name); turn++) {
    const at = network.calls.length + (turn % 4)
    const breaks = () => network.calls.length > at && lost()
    Object.assign(network, turn % 2 ? { before: breaks, after: undefined } : { before: undefined, after: breaks })
    const { outcome, words } = await send()
    assert.ok(outcome === 'sent' || words === 'The connection is lost.', words)
    assert.ok(turn < 60)
  }
  const { runs } = await ledger.client.listRuns({})
  assert.deepEqual(
    runs.map(({ runId, status }) => [runId, status]),
    [['RUN-001', 'completed']],
  )
  assert.equal((await ledger.client.getRun({ runId: 'RUN-001' })).run.content, textOf(20))
})

testLedger('lines of several writers arrive once each, despite lost responses', async (ledger, t) => {
  const { state, network, send } = machine(t, ledger)
  state.queue(name, begin(), ...lines(0, 12))
  let written = 0
  const token = () => state.find(name)?.leaseToken ?? undefined
  // Another writer appends before every third call, and every fourth response is lost.
  network.before = async () => {
    if (network.calls.length % 3 === 1 && written < 6 && state.find(name)?.runId)
      await ledger.client.appendToRun({ runId: 'RUN-001', text: `other ${written++}\n`, leaseToken: token() })
  }
  network.after = () => network.calls.length % 4 === 3 && lost()
  for (let turn = 0; state.next(name); turn++) {
    const { outcome, words } = await send()
    assert.ok(outcome === 'sent' || words === 'The connection is lost.', words)
    assert.ok(turn < 60)
  }
  const { content } = (await ledger.client.getRun({ runId: 'RUN-001' })).run
  const found = content?.trim().split('\n') ?? []
  assert.ok(written > 2)
  assert.deepEqual(
    found.filter((line) => line.startsWith('line')),
    textOf(12).trim().split('\n'),
  )
  assert.equal(found.length, 12 + written)
})

testLedger('two processes that send the same calls append each line once', async (ledger, t) => {
  const { state, network, send } = machine(t, ledger)
  state.queue(name, begin(), append('same\n'), append('same\n'), append('same\n'), append('last\n'))
  let other: Promise<unknown> | undefined
  network.before = async () => {
    if (network.calls.length !== 2 || other) return
    // This process sleeps until its claim has expired, and another process sends the rest.
    const leaseToken = state.find(name)?.leaseToken ?? undefined
    await ledger.client.appendToRun({ runId: 'RUN-001', text: 'other\n', leaseToken })
    t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 3_600_000 })
    other = send()
    await other
    t.mock.timers.reset()
  }
  await send()
  assert.deepEqual(await other, { outcome: 'sent' })
  const { content } = (await ledger.client.getRun({ runId: 'RUN-001' })).run
  assert.equal(content, 'same\nother\nsame\nsame\nlast\n')
})

testLedger(
  'an append is sent with an offset, and without a key for which the server would store the response',
  async (ledger, t) => {
    const { state, network, send } = machine(t, ledger)
    state.queue(name, begin(), append('ü\n'), append('b\n'), end())
    await send()
    assert.deepEqual(
      network.calls.map(({ operation, offset, idempotencyKey }) => [operation, offset, typeof idempotencyKey]),
      [
        ['createRun', undefined, 'string'],
        ['appendToRun', 0, 'undefined'],
        ['appendToRun', 3, 'undefined'],
        ['updateRun', undefined, 'string'],
      ],
    )
  },
)

testLedger('the run ends with its real status, although its lease expired three times', async (ledger, t) => {
  const { state, send } = machine(t, ledger)
  state.queue(name, begin())
  assert.deepEqual(await send(), { outcome: 'sent' })
  const status = async () => (await ledger.client.getRun({ runId: 'RUN-001' })).run
  for (const turn of [0, 1, 2]) {
    ledger.advance(30_000)
    await ledger.client.heartbeat({ runId: 'RUN-001' })
    assert.equal((await status()).failure?.code, 'LEASE_EXPIRED')
    state.queue(name, ...lines(turn * 3, turn * 3 + 3))
    assert.deepEqual(await send(), { outcome: 'sent' })
    assert.equal((await status()).status, 'in_progress')
  }
  ledger.advance(30_000)
  state.queue(name, ...lines(9, 12), end())
  assert.deepEqual(await send(), { outcome: 'sent' })
  const { status: last, failure, content } = await status()
  assert.deepEqual([last, failure, content], ['completed', null, textOf(12)])
})

testLedger('changes that others made to the run stay, and no line is lost', async (ledger, t) => {
  const { state, send } = machine(t, ledger)
  state.queue(name, begin(), ...lines(0, 2))
  await send()
  await ledger.client.updateRun({ runId: 'RUN-001', status: 'failed' })
  const facts = { git: { branch: 'b' }, usage: { inputTokens: 7 }, links: [{ rel: 'pr', href: 'https://a.b/1' }] }
  state.queue(name, ...lines(2, 5), call('updateRun', { status: 'completed', changes: { files: 2 }, ...facts }))
  const { outcome, words } = await send()
  assert.equal(outcome, 'sent')
  assert.match(words ?? '', /does not match that of run 'RUN-001'.*'first admin'.*The run stays as others left it/)
  const { run } = await ledger.client.getRun({ runId: 'RUN-001' })
  assert.deepEqual([run.status, run.failure?.code, run.content], ['failed', 'CANCELLED', textOf(5)])
  const { git, usage, links, changes } = run
  assert.deepEqual({ git, usage, links, changes }, { ...facts, changes: { files: 2 } }, 'what only the recorder knows')
})

testLedger('text for a run that another caller has leased waits until the run is free', async (ledger, t) => {
  const { state, send } = machine(t, ledger)
  state.queue(name, begin())
  await send()
  ledger.advance(30_000)
  const { lease } = await ledger.client.updateRun({ runId: 'RUN-001', leaseSeconds: 10 })
  state.queue(name, append('late\n'))
  const held = await send()
  assert.equal(held.outcome, 'waiting')
  assert.match(held.words ?? '', /is leased until/)
  await ledger.client.updateRun({ runId: 'RUN-001', status: 'completed', leaseToken: lease?.token })
  assert.equal((await send()).outcome, 'sent')
  const { run } = await ledger.client.getRun({ runId: 'RUN-001' })
  assert.deepEqual([run.status, run.content], ['completed', 'late\n'])
})

testLedger("a call that can never succeed is refused with the server's message, and not retried", async (ledger, t) => {
  const { state, network, send } = machine(t, ledger)
  state.queue(name, begin())
  await send()
  const leaseToken = state.find(name)?.leaseToken ?? ''
  await ledger.client.deleteRun({ runId: 'RUN-001', leaseToken })
  state.queue(name, append('late\n'))
  const refused = { outcome: 'refused', words: "There is no run 'RUN-001' in project 'default'.", isAway: false }
  assert.deepEqual(await send(), refused)
  const { length } = network.calls
  assert.equal((await send()).outcome, 'refused')
  assert.equal(network.calls.length, length)
  assert.deepEqual(waitingIn(state), [])
  assert.equal(state.unsent()[0]?.refused, refused.words)
})

testLedger('a check of a commit without a run is not kept, unless its project is missing', async (ledger, t) => {
  const { state, send } = machine(t, ledger, undefined, 'shop')
  const ofCommit = call('createCheck', { name: 'ci', result: 'pass', commit: 'a'.repeat(40) })
  state.queue(name, ofCommit)
  assert.equal((await send()).outcome, 'waiting')
  await ledger.client.createProject({ slug: 'shop' })
  const { outcome, words } = await send()
  assert.equal(outcome, 'sent')
  assert.match(words ?? '', /^No run of project 'shop' made or ended on commit a+, .* The check is not recorded\.$/)
  assert.deepEqual(state.unsent(), [])

  await ledger.as({ project: 'shop' }).createRun({ runId: 'R', git: { commit: 'a'.repeat(40) }, changes: { files: 1 } })
  state.queue(name, { ...ofCommit, key: 'another' })
  assert.deepEqual([await send(), state.find(name)?.runId], [{ outcome: 'sent' }, 'R'])
})

testLedger('calls wait for a project that does not exist yet', async (ledger, t) => {
  const { state, send } = machine(t, ledger, undefined, 'shop')
  state.queue(name, begin(), end())
  const { outcome, words } = await send()
  assert.equal(outcome, 'waiting')
  assert.match(words ?? '', /^There is no project 'shop'.*conduct project create --slug shop$/)
  assert.equal(state.find(name)?.trouble, words)
  assert.deepEqual(waitingIn(state), [name])
  assert.equal((await send()).isAway, true, 'what else waits for the project is not tried now')
  await ledger.client.createProject({ slug: 'shop' })
  assert.deepEqual(await send(), { outcome: 'sent' })
  assert.equal(state.find(name)?.trouble, null)
})

testLedger('calls wait if the key may not write, because its owner can fix that', async (ledger, t) => {
  const { secret } = await ledger.client.createKey({ name: 'reader', permissions: ['read'] })
  const { state, send } = machine(t, ledger, secret)
  state.queue(name, begin())
  const { outcome, words } = await send()
  assert.equal(outcome, 'waiting')
  assert.match(words ?? '', /permission 'agent'/)
})

test('one process at a time sends, and another takes over after it dies', async (t) => {
  const env = homeOf(freshFolder(t))
  const state = stateOf(env)
  t.after(() => state.close())
  const local: Place = { kind: 'local', databaseUrl: `sqlite:${env.HOME}/conduct.db`, project: 'shop' }
  state.record({ name, kind: 'exec', place: local, cwd: '/' })
  state.queue(name, begin())
  assert.ok(state.claim(name, 'another', 60_000))
  assert.equal((await deliver(state, name, { connect: (place) => reconnect(place, env) })).outcome, 'busy')
  assert.ok(state.claim(name, 'another', -1))
  assert.deepEqual(await deliver(state, name, { connect: (place) => reconnect(place, env) }), { outcome: 'sent' })
  assert.equal(state.find(name)?.runId, 'RUN-001')
  assert.ok(state.claim(name, 'another', 1), 'it was released')
})

test('a key is sent only to its own server, and no password is stored', async (t) => {
  const env = homeOf(freshFolder(t))
  const state = stateOf(env)
  t.after(() => state.close())
  const send = async (place: Place, more: Record<string, string>) => {
    const of = `exec-${++keys}`
    state.record({ name: of, kind: 'exec', place, cwd: '/' })
    state.queue(of, begin())
    return deliver(state, of, { connect: (place) => reconnect(place, { ...env, CONDUCT_API_KEY: 'k', ...more }) })
  }
  const closed = 'http://127.0.0.1:1/conduct'
  assert.match((await send(place, { CONDUCT_URL: closed })).words ?? '', /belongs to http:.*CONDUCT_URL is/)
  assert.match((await send({ ...place, url: closed }, {})).words ?? '', /belongs to http:.*set CONDUCT_URL to that/)
  const away = await send({ ...place, url: closed }, { CONDUCT_URL: `${closed}/` })
  assert.deepEqual([away.outcome, away.isAway], ['waiting', true])
  const byProfile = { ...place, profile: 'work' }
  assert.match((await send(byProfile, {})).words ?? '', /profile 'work', which no longer exists/)
  writeProfiles(env, { profiles: { work: { url: closed, key: 'other' } } })
  assert.match(
    (await send(byProfile, {})).words ?? '',
    /No response from http:\/\/127\.0\.0\.1:1\//,
    'where the profile is now',
  )

  const databaseUrl = 'postgres://me:secret@127.0.0.1:1/x'
  const local: Place = { kind: 'local', databaseUrl, project: 'shop' }
  const { outcome } = await send(local, { CONDUCT_DATABASE_URL: databaseUrl })
  assert.equal(outcome, 'waiting')
  assert.ok(!JSON.stringify(state.unsent()).includes('secret@'))
})

test('what a command recorded while the server was away is sent by its own key alone', async (t) => {
  const env = { ...homeOf(freshFolder(t)), CONDUCT_URL: 'http://127.0.0.1:1/conduct' }
  for (const words of ['check exec RUN-001 --name review -- true', 'exec -- true']) {
    assert.equal((await conduct(words.split(' '), { ...env, CONDUCT_API_KEY: 'ada' })).code, 0)
  }
  const sync = async (key: string) => (await conduct(['sync'], { ...env, CONDUCT_API_KEY: key })).stdout
  assert.equal((await sync('ben')).match(/Another key recorded it/g)?.length, 2)
  const own = await sync('ada')
  assert.doesNotMatch(own, /Another key/)
  assert.match(own, /No response from/)
  const state = stateOf(env)
  t.after(() => state.close())
  assert.doesNotMatch(JSON.stringify(state.unsent()), /"ada"/)
})
