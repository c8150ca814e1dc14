import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { newCall } from '../../src/capture/spool/calls.ts'
import { isGone, thisProcess } from '../../src/capture/spool/process.ts'
import { stateFile, stateOf } from '../../src/capture/spool/state-file.ts'
import { type Place, samePlace } from '../../src/place/place.ts'
import { againMs } from '../../src/recorder/agents/tools.ts'
import { startWriter } from '../support/writer.ts'
import { freshFolder, homeOf, waitingIn } from './folder.ts'

const recording = {
  name: 'exec-1',
  kind: 'exec',
  place: { kind: 'local', databaseUrl: 'sqlite::memory:', project: 'shop' },
  cwd: '/shop',
} as const

const call = (text: string) => ({ operation: 'appendToRun', input: { text }, key: `key-${text}` }) as const

function open(t: TestContext) {
  const env = homeOf(freshFolder(t))
  const state = stateOf(env)
  t.after(() => state.close())
  return { env, state }
}

test('the first two processes of a user may open the state at the same time', async (t) => {
  const env = homeOf(freshFolder(t))
  mkdirSync(dirname(stateFile(env)), { recursive: true })
  await startWriter(stateFile(env))
  const state = stateOf(env)
  t.after(() => state.close())
  state.record(recording)
  assert.equal(state.find('exec-1')?.kind, 'exec')
})

test('calls are sent in order, each until it is acknowledged, also by another process', (t) => {
  const { env, state } = open(t)
  state.record(recording)
  state.queue('exec-1', call('a'), call('b'))
  const other = stateOf(env)
  t.after(() => other.close())
  const first = other.next('exec-1')
  assert.deepEqual(first?.input, { text: 'a' })
  assert.equal(first?.key, 'key-a')
  assert.equal(state.next('exec-1')?.id, first?.id)
  other.done(first?.id ?? 0, 'exec-1', { runId: 'RUN-007', leaseToken: 't' })
  assert.deepEqual(state.next('exec-1')?.input, { text: 'b' })
  assert.equal(state.find('exec-1')?.runId, 'RUN-007')
})

test('one process at a time sends the calls of a recording, and another can take over when its claim expires', (t) => {
  const { state } = open(t)
  state.record(recording)
  assert.ok(state.claim('exec-1', 'one', 60_000))
  assert.ok(!state.claim('exec-1', 'two', 60_000))
  assert.ok(state.claim('exec-1', 'one', -1), 'its own claim is renewed')
  assert.ok(state.claim('exec-1', 'two', 60_000), 'a claim that ran out is taken over')
  state.release('exec-1', 'one')
  assert.ok(!state.claim('exec-1', 'one', 60_000), 'only the holder releases')
  state.release('exec-1', 'two')
  assert.ok(state.claim('exec-1', 'one', 60_000))
  assert.ok(state.claim('exec-1', 'one', 30 * 86_400_000))
  assert.ok(state.claim('exec-1', 'two', 60_000), 'a claim is taken over that was made while the clock was ahead')
})

test('a recording is created once, waits while it has calls, and is deleted once it has none', (t) => {
  const { state } = open(t)
  state.record(recording)
  state.update('exec-1', { runId: 'RUN-001' })
  assert.equal(state.record(recording).runId, 'RUN-001')
  assert.deepEqual(waitingIn(state), [])
  state.queue('exec-1', call('a'))
  assert.deepEqual(waitingIn(state), ['exec-1'])
  state.update('exec-1', { ended: true })
  assert.deepEqual(state.open(recording.place, { cwd: '/shop' }), [])
  state.forget(-1)
  assert.ok(state.find('exec-1'), 'it has something to send')
  state.update('exec-1', { refused: 'The run is gone.' })
  assert.deepEqual(waitingIn(state), [])
  state.done(state.next('exec-1')?.id ?? 0, 'exec-1')
  state.forget(-1)
  assert.equal(state.find('exec-1'), undefined)
})

test('notes are read again if the turns of their session got other numbers meanwhile', (t) => {
  const { state } = open(t)
  const seen = { agent: 'claude-code', session: 's', cwd: '/shop', step: { kind: 'prompt', text: 'a' } } as const
  const noted = (key: string) => {
    state.note(recording, seen, key, true)
    return state.notes('exec-1').map(({ id }) => id)
  }
  assert.ok(state.settle('exec-1', noted('one'), [newCall('appendTurn', { n: 1 })], { memo: { n: 1 }, ended: false }))
  const ids = noted('two')
  const was = state.find('exec-1')?.memo
  const sent = state.next('exec-1')
  assert.ok(was && sent)
  state.renumber('exec-1', sent, 3)
  assert.ok(!state.settle('exec-1', ids, [], { memo: { n: 2 }, ended: false, was }))
  assert.deepEqual(state.find('exec-1')?.memo, { n: 3 })
  assert.ok(state.settle('exec-1', ids, [], { memo: { n: 4 }, ended: false, was: { n: 3 } }))
})

test('a note is stored once, and calls replace it once', (t) => {
  const { env, state } = open(t)
  const seen = (text: string) =>
    ({ agent: 'claude-code', session: 's', cwd: '/shop', step: { kind: 'prompt', text } }) as const
  state.note(recording, seen('a'), 'one', false)
  state.note(recording, seen('a again'), 'one', true)
  assert.deepEqual(state.noted(), [], 'a second note of a key is none')
  state.note(recording, seen('b'), 'two', true)
  assert.deepEqual(state.noted(), ['exec-1'])
  const ids = state.notes('exec-1').map(({ id, seen: { step } }) => {
    assert.equal(step.kind, 'prompt')
    return id
  })
  assert.equal(ids.length, 2)
  const other = stateOf(env)
  t.after(() => other.close())
  assert.ok(other.settle('exec-1', ids, [call('ab')], { memo: { model: 'm' }, ended: false }))
  assert.ok(!state.settle('exec-1', ids, [call('ab again')], { memo: {}, ended: true }), 'they are settled')
  assert.deepEqual(state.find('exec-1')?.memo, { model: 'm' })
  assert.deepEqual(state.next('exec-1')?.input, { text: 'ab' })
  state.note(recording, seen('a'), 'one', true)
  assert.deepEqual(state.noted(), [], 'a settled note is not noted again')
  state.note({ ...recording, name: 'claude-1', kind: 'hook' }, seen('c'), 'three', false)
  state.forget(1)
  assert.ok(state.find('claude-1'), 'something was noted of it lately')
  state.forget(-1)
  assert.equal(state.find('claude-1'), undefined, 'a session without an end is forgotten too')
})

test('a report without an id is one note for a while, and is completed once', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const { state } = open(t)
  const seen = { agent: 'claude-code', session: 's', cwd: '/shop', step: { kind: 'prompt', text: 'a' } } as const
  const note = (digest: string, kind: 'prompt' | 'turn' = 'prompt') =>
    state.note(recording, seen, { kind, digest }, false)
  const key = note('a')
  assert.ok(key)
  assert.equal(note('a'), key, 'it has no tree yet')
  state.complete('exec-1', key, {})
  assert.equal(note('a'), undefined)
  assert.ok(note('b'))
  assert.ok(state.isNoted('exec-1', { kind: 'prompt', digest: 'b' }))
  assert.ok(!state.isNoted('exec-1', { kind: 'turn', digest: 'b' }))
  assert.equal(state.notes('exec-1').length, 2)
  t.mock.timers.tick(againMs)
  assert.ok(note('a'), 'it comes again')
  assert.ok(note('t', 'turn'))
  assert.ok(note('a'), 'after the end of a turn, it is the next one')
  assert.ok(note('t', 'turn'))
  assert.equal(state.notes('exec-1').length, 6)
})

test('a command that begins once more within two seconds has begun once', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const { state } = open(t)
  state.record(recording)
  state.begin('exec-1', '/shop', 'toolu_1', { tree: 'a' })
  state.begin('exec-1', '/shop', 'toolu_1', { tree: 'b' })
  assert.deepEqual(state.finish('exec-1', 'toolu_1', true)?.git, { tree: 'a' })
  assert.deepEqual(state.finish('exec-1', 'toolu_1', true)?.git, { tree: 'a' }, 'two hooks may report its end')
  state.begin('exec-1', '/shop', 'npm test', { tree: 'a' })
  assert.ok(state.finish('exec-1', 'npm test', false))
  assert.equal(state.finish('exec-1', 'npm test', false), undefined)
})

test('a command whose end nobody reported counts for others until its session ends', (t) => {
  const { state } = open(t)
  for (const name of ['one', 'two']) state.record({ ...recording, name, kind: 'hook' })
  state.begin('two', '/shop', 'npm test', { tree: 'a' })
  const rivals = () => state.rivals('one', '/shop', Date.now(), Date.now())
  assert.deepEqual(rivals(), ['two'])
  state.update('two', { ended: true })
  assert.deepEqual(rivals(), [])
})

test('a session that was silent until its lease expired has ended, unless its agent certainly runs', (t) => {
  const { state } = open(t)
  const elsewhere = { machine: 'a container', pid: 1, started: null }
  const agents = Object.entries({ here: thisProcess(), elsewhere, unknown: null })
  for (const [name, agentProcess] of agents) {
    const seen = { agent: 'claude-code', session: name, cwd: '/shop', step: { kind: 'prompt', text: 'a' } } as const
    const session = { ...recording, name, kind: 'hook', session: name, agent: 'claude-code', agentProcess } as const
    state.note(session, seen, 'one', false)
    state.prove(name, () => agentProcess ?? undefined)
  }
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 86_400_000 })
  state.endLost()
  const isOver = ([name]: [string, unknown]) => state.notes(name).some(({ seen }) => seen.step.kind === 'end')
  assert.deepEqual(
    agents.filter(isOver).map(([name]) => name),
    ['elsewhere', 'unknown'],
  )
})

test('a prompt that is still to be completed is a sign of life', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const { state } = open(t)
  const agentProcess = { ...thisProcess(), pid: 2 ** 22 + 1 }
  const session = { ...recording, kind: 'hook', session: 's', agent: 'claude-code', agentProcess } as const
  const seen = { agent: 'claude-code', session: 's', cwd: '/shop', step: { kind: 'prompt', text: 'a' } } as const
  state.note(session, seen, 'one', false)
  state.prove('exec-1', () => agentProcess)
  state.heard('exec-1', { state: 'working' })
  const [silent] = state.deserted()
  assert.ok(silent)
  t.mock.timers.tick(86_400_000)
  state.note(session, seen, 'two', false)
  state.endLost()
  state.endDeserted(silent)
  assert.ok(state.notes('exec-1').every(({ seen }) => seen.step.kind === 'prompt'))
})

test('calls for a recording that does not exist are refused as a whole', (t) => {
  const { state } = open(t)
  assert.throws(() => state.queue('exec-9', call('a')), /FOREIGN KEY/)
  state.record(recording)
  assert.equal(state.next('exec-1'), undefined)
})

test('a recording ends with its process, unless another process may continue its run', async (t) => {
  const { env, state } = open(t)
  const script = `
    const { stateOf } = await import(${JSON.stringify(new URL('../../src/capture/spool/state-file.ts', import.meta.url).href)})
    const state = stateOf(process.env)
    for (const kind of ['exec', 'mcp', 'hook'])
      state.record({ name: kind + '-dead', kind, place: ${JSON.stringify(recording.place)}, cwd: '/shop' })`
  execFileSync(process.execPath, ['--input-type=module', '-e', script], { env })
  state.record({ ...recording, name: 'exec-alive' })
  state.record({ ...recording, name: 'exec-elsewhere' })
  const db = new DatabaseSync(stateFile(env))
  t.after(() => db.close())
  db.exec(
    `update recordings set process = '{"machine":"a container","pid":1,"started":null}' where name = 'exec-elsewhere'`,
  )
  state.endGone()
  const ended = (name: string) => state.find(name)?.ended
  assert.deepEqual(['exec-dead', 'mcp-dead', 'hook-dead', 'exec-alive'].map(ended), [true, false, false, false])
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 2 * 86_400_000 })
  state.endGone()
  assert.deepEqual(['mcp-dead', 'hook-dead', 'exec-alive'].map(ended), [true, false, false])
  assert.equal(ended('exec-elsewhere'), false, 'nobody can tell from here')
  state.forget(1)
  const names = ['exec-dead', 'mcp-dead', 'hook-dead', 'exec-elsewhere', 'exec-alive']
  assert.deepEqual(
    names.filter((name) => state.find(name)),
    ['exec-alive'],
  )
})

test('a process is gone if its id is unused, or belongs to another process', () => {
  const own = thisProcess()
  assert.equal(isGone(own), false)
  assert.equal(isGone({ ...own, pid: 2 ** 22 + 1 }), true)
  assert.equal(isGone({ ...own, machine: 'another', pid: 2 ** 22 + 1 }), false, 'nobody can tell from here')
  if (process.platform === 'linux') assert.equal(isGone({ ...own, started: '1' }), true)
})

test('open recordings are found by run or folder, only for the same place', (t) => {
  const { state } = open(t)
  const place = { kind: 'local', databaseUrl: 'postgres://me:secret@db/x', project: 'shop' } as const
  state.record({ ...recording, place })
  state.update('exec-1', { runId: 'RUN-001' })
  state.record({ ...recording, name: 'exec-2', place: { ...place, project: 'blog' } })
  const names = (at: Place, by: Parameters<typeof state.open>[1]) => state.open(at, by).map(({ name }) => name)
  assert.deepEqual(names(place, { runId: 'RUN-001' }), ['exec-1'], 'the password is not kept')
  assert.deepEqual(names({ ...place, databaseUrl: 'postgres://me@db/x' }, { cwd: '/shop' }), [])
  assert.deepEqual(names({ ...place, project: 'blog' }, { cwd: '/shop' }), ['exec-2'])
  assert.deepEqual(names(place, { cwd: '/elsewhere' }), [])
  state.record({ ...recording, name: 'claude-1', kind: 'hook', place })
  for (const name of ['exec-1', 'claude-1']) state.update(name, { runId: 'RUN-001', ended: true })
  assert.deepEqual(names(place, { runId: 'RUN-001' }), ['claude-1'], 'a session may be resumed')
  assert.deepEqual(names(place, { cwd: '/shop' }), [])
})

test('a place is the same with another password, profile or trailing slash', () => {
  const server = {
    kind: 'server',
    url: 'https://conduct.example/conduct',
    profile: undefined,
    project: 'shop',
  } as const
  const local = { kind: 'local', databaseUrl: 'postgres://me:secret@db/x', project: 'shop' } as const
  const same: [Place, Place][] = [
    [server, { ...server, url: `${server.url}/`, profile: 'work' }],
    [local, { ...local, databaseUrl: 'postgres://me:other@db/x' }],
  ]
  const different: [Place, Place][] = [
    [server, { ...server, project: undefined }],
    [server, { ...server, url: 'https://conduct.example/' }],
    [server, local],
    [local, { ...local, databaseUrl: 'postgres://you:secret@db/x' }],
  ]
  for (const [one, other] of same) assert.ok(samePlace(one, other) && samePlace(other, one), JSON.stringify(other))
  for (const [one, other] of different)
    assert.ok(!samePlace(one, other) && !samePlace(other, one), JSON.stringify(other))
})

test('only its owner can read the state', (t) => {
  const { env } = open(t)
  const folder = join(env.HOME, '.local/state/conduct')
  assert.equal(statSync(folder).mode & 0o777, 0o700)
})
