import assert from 'node:assert/strict'
import { test } from 'node:test'
import { activityAfter } from '../../src/nouns/run/activity.ts'

const at = (minute: number) => `2026-01-01T00:0${minute}:00.000Z`

test('an activity keeps the times when its step and its turn began', () => {
  const prompted = activityAfter(null, { state: 'working' }, at(0))
  assert.deepEqual(prompted, { state: 'working', since: at(0), turnSince: at(0) })
  const edits = activityAfter(prompted, { state: 'working', tool: 'Edit', target: 'a.ts' }, at(1))
  assert.deepEqual(edits, { state: 'working', tool: 'Edit', target: 'a.ts', since: at(1), turnSince: at(0) })
  assert.deepEqual(activityAfter(edits, { state: 'working', tool: 'Edit', target: 'a.ts' }, at(2)), edits)
  const waits = activityAfter(edits, { state: 'waiting', since: at(3) }, at(4))
  assert.deepEqual(waits, { state: 'waiting', since: at(3), turnSince: at(0) })
  const rests = activityAfter(waits, { state: 'idle' }, at(5))
  assert.deepEqual(rests, { state: 'idle', since: at(5) })
  assert.deepEqual(activityAfter(rests, { state: 'working' }, at(6)), {
    state: 'working',
    since: at(6),
    turnSince: at(6),
  })
  // An activity as an earlier version stored it.
  const old = { state: 'working', since: at(1) } as const
  assert.equal(activityAfter(old, { state: 'waiting' }, at(2)).turnSince, at(1))
})

test('a wait keeps what it is for until the answer, whatever later reports leave out', () => {
  const working = activityAfter(null, { state: 'working' }, at(0))
  const asked = { state: 'waiting', tool: 'Bash', target: 'psql -c "drop table a"' } as const
  const waits = activityAfter(working, asked, at(1))
  assert.deepEqual(waits, { ...asked, since: at(1), turnSince: at(0) })
  for (const later of [
    { state: 'waiting' },
    { state: 'waiting', tool: 'Bash' },
    { state: 'waiting', since: at(2) },
  ] as const) {
    assert.deepEqual(activityAfter(waits, later, at(3)), waits)
  }
  const other = { state: 'waiting', tool: 'Write', since: at(4) } as const
  assert.deepEqual(activityAfter(waits, other, at(4)), { ...other, turnSince: at(0) })
  const more = { ...asked, target: 'ls' }
  assert.deepEqual(activityAfter(waits, more, at(4)), { ...more, since: at(4), turnSince: at(0) })
  const answered = activityAfter(waits, { state: 'working' }, at(5))
  assert.deepEqual(answered, { state: 'working', since: at(5), turnSince: at(0) })
  assert.deepEqual(activityAfter(answered, { state: 'waiting' }, at(6)).tool, undefined)
})

test('a recorder whose clock is ahead does not move the times of an activity', () => {
  const begun = activityAfter(null, { state: 'working', since: at(4) }, at(1))
  assert.deepEqual(begun, { state: 'working', since: at(1), turnSince: at(1) })
  assert.deepEqual(activityAfter(begun, { state: 'working', since: at(4) }, at(2)), begun)
  assert.deepEqual(activityAfter(begun, { state: 'idle', since: at(5) }, at(3)), { state: 'idle', since: at(3) })
})
