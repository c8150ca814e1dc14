import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClock } from '../src/ledger/clock.ts'

const hour = 3600_000

/** A clock over a time of day that the test sets, and over elapsed time. */
function clockAt(time: number, floor?: number) {
  let offset = time
  let passed = 0
  const now = createClock({
    wall: () => offset + passed,
    monotonic: () => passed,
    ...(floor !== undefined && { floor }),
  })
  return {
    now,
    pass: (ms: number) => {
      passed += ms
    },
    set: (by: number) => {
      offset += by
    },
  }
}

test('a clock follows its source', () => {
  const { now, pass, set } = clockAt(10 * hour)
  assert.equal(now(), 10 * hour)
  pass(1_500)
  assert.equal(now(), 10 * hour + 1_500)
  set(2 * hour)
  assert.equal(now(), 12 * hour + 1_500, 'as after the sleep of a laptop')
})

test('a clock that is set back runs more slowly until it is right again', () => {
  const { now, pass, set } = clockAt(10 * hour)
  now()
  set(-2 * hour)
  let before = now()
  assert.equal(before, 10 * hour)
  for (let minute = 1; minute <= 30 * 60; minute++) {
    pass(60_000)
    const time = now()
    assert.ok(time > before)
    before = time
  }
  assert.equal(before, 38 * hour)
})

test('a clock starts no earlier than its floor, and continues from there', () => {
  const { now, pass } = clockAt(10 * hour, 11 * hour)
  assert.equal(now(), 11 * hour)
  pass(10_000)
  assert.equal(now(), 11 * hour + 9_000)
  assert.equal(clockAt(10 * hour, 9 * hour).now(), 10 * hour)
})
