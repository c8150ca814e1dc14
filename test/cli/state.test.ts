import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openState } from '../../src/spool/state.ts'
import { freshFolder, homeOf } from './folder.ts'

const recording = {
  name: 'exec-1',
  kind: 'exec',
  place: { kind: 'local', databaseUrl: 'sqlite::memory:', project: 'shop' },
  cwd: '/shop',
} as const

const call = (text: string) => ({ operation: 'appendToRun', input: { text }, key: `key-${text}` }) as const

function open(t: TestContext) {
  const env = homeOf(freshFolder(t))
  const state = openState(env)
  t.after(() => state.close())
  return { env, state }
}

test('calls are sent in their order, each until it is acknowledged, also by another process', (t) => {
  const { env, state } = open(t)
  state.record(recording)
  state.queue('exec-1', call('a'), call('b'))
  const other = openState(env)
  t.after(() => other.close())
  const first = other.next('exec-1')
  assert.deepEqual(first?.input, { text: 'a' })
  assert.equal(first?.key, 'key-a')
  assert.equal(state.next('exec-1')?.id, first?.id)
  other.done(first?.id ?? 0, 'exec-1', { runId: 'RUN-007', leaseToken: 't' })
  assert.deepEqual(state.next('exec-1')?.input, { text: 'b' })
  assert.equal(state.find('exec-1')?.runId, 'RUN-007')
})

test('one process at a time sends the calls of a recording, and a dead one is followed by another', (t) => {
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
})

test('a recording is made once, waits while it has calls, and is forgotten when nothing is left of it', (t) => {
  const { state } = open(t)
  state.record(recording)
  state.update('exec-1', { runId: 'RUN-001' })
  assert.equal(state.record(recording).runId, 'RUN-001')
  assert.deepEqual(state.waiting(), [])
  state.queue('exec-1', call('a'))
  assert.deepEqual(state.waiting(), ['exec-1'])
  state.update('exec-1', { ended: true })
  assert.deepEqual(state.open(), [])
  state.forget(-1)
  assert.ok(state.find('exec-1'), 'it has something to send')
  state.update('exec-1', { refused: 'The run is gone.' })
  assert.deepEqual(state.waiting(), [])
  state.done(state.next('exec-1')?.id ?? 0, 'exec-1')
  state.forget(-1)
  assert.equal(state.find('exec-1'), undefined)
})

test('notes are kept once each, and calls take their place once', (t) => {
  const { env, state } = open(t)
  const seen = (text: string) => ({ session: 's', cwd: '/shop', step: { kind: 'prompt', text } }) as const
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
  const other = openState(env)
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

test('calls of a recording that does not exist are refused as a whole', (t) => {
  const { state } = open(t)
  assert.throws(() => state.queue('exec-9', call('a')), /FOREIGN KEY/)
  state.record(recording)
  assert.equal(state.next('exec-1'), undefined)
})

test('nobody else can read the state', (t) => {
  const { env } = open(t)
  const folder = join(env.HOME, '.local/state/conduct')
  assert.equal(statSync(folder).mode & 0o777, 0o700)
})
