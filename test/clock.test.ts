import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClock, startOf } from '../src/frame/clock.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
/** Steps of a wrong clock: 400 days and 10 years. */
const steps = [400 * day, 3_650 * day]
const start = Date.parse('2026-07-01T12:00:00.000Z')

/** A clock over a time of day that the test sets, and over elapsed time. */
function clockAt(time: number, options: Parameters<typeof createClock>[0] = {}) {
  let offset = time
  let passed = 0
  let asleep = 0
  const clock = createClock({
    wall: () => offset + passed,
    monotonic: () => passed,
    uptime: () => passed + asleep,
    ...options,
  })
  return {
    ...clock,
    pass: (ms: number) => {
      passed += ms
    },
    set: (by: number) => {
      offset += by
    },
    sleep: (ms: number) => {
      offset += ms
      asleep += ms
    },
  }
}

test('a clock follows its source', () => {
  const { now, pass, doubt } = clockAt(start)
  assert.equal(now(), start)
  pass(1_500)
  assert.equal(now(), start + 1_500)
  assert.equal(doubt(), undefined)
})

test('a clock that is set back by up to an hour runs more slowly until it is right again', () => {
  const { now, pass, set, doubt } = clockAt(start)
  now()
  set(-hour)
  let before = now()
  assert.equal(before, start)
  assert.equal(doubt(), undefined)
  for (let passed = 1; passed <= 20 * 60; passed++) {
    pass(minute)
    const time = now()
    assert.ok(time > before)
    before = time
  }
  assert.equal(before, start + 19 * hour)
})

test('a sleep of the machine is no leap', () => {
  const { now, sleep, set, doubt, isSteady } = clockAt(start)
  sleep(10 * hour)
  assert.equal(now(), start + 10 * hour)
  assert.equal(doubt(), undefined)
  set(2 * hour)
  assert.equal(now(), start + 12 * hour)
  assert.match(doubt() ?? '', /leapt forward by 2 hours, to 2026-07-02T00:00Z/)
  assert.equal(isSteady(), false)
})

test('after a short sleep of the machine, or a pause of the process, the time is steady again in a minute', () => {
  const { now, pass, sleep, doubt, isSteady } = clockAt(start)
  for (const stop of [sleep, pass]) {
    assert.equal(isSteady(), true)
    stop(10 * minute)
    assert.deepEqual([isSteady(), doubt()], [false, undefined])
    for (let seconds = 0; seconds < 60; seconds++, now()) pass(1_000)
  }
})

test('short sleeps do not hide a leap', () => {
  const { now, set, sleep, doubt } = clockAt(start)
  for (let n = 0; n < 10; n++, now()) sleep(50 * minute)
  set(8 * hour)
  assert.match(doubt() ?? '', /leapt forward by 8 hours/)
})

for (const by of steps) {
  const days = by / day

  test(`a clock follows a leap of ${days} days, doubts it, and returns from it at once`, () => {
    const { now, pass, set, doubt, isSteady } = clockAt(start)
    pass(minute)
    now()
    set(by)
    pass(2_000)
    assert.equal(now(), start + by + minute + 2_000)
    assert.match(doubt() ?? '', new RegExp(`leapt forward by ${days} days`))
    set(-by)
    pass(2_000)
    assert.equal(now(), start + minute + 4_000)
    assert.equal(doubt(), undefined)
    assert.equal(isSteady(), false)
    for (let seconds = 0; seconds < 60; seconds++, now()) pass(1_000)
    assert.equal(isSteady(), true)
  })

  test(`a clock doubts a leap of ${days} days for a 24th of it, at most 30 days`, () => {
    const { now, pass, set, doubt } = clockAt(start)
    now()
    set(by)
    now()
    const doubted = Math.min(by / 24, 30 * day)
    pass(doubted - minute)
    assert.notEqual(doubt(), undefined)
    pass(2 * minute)
    assert.equal(doubt(), undefined)
  })

  test(`a clock that has come to trust a leap of ${days} days returns at once from the next one`, () => {
    const { now, pass, set, doubt } = clockAt(start)
    now()
    set(by)
    now()
    pass(31 * day)
    const at = now()
    assert.equal(doubt(), undefined)
    set(2 * hour)
    pass(2_000)
    assert.equal(now(), at + 2 * hour + 2_000)
    set(-2 * hour)
    pass(2_000)
    assert.equal(now(), at + 4_000)
    assert.equal(doubt(), undefined)
  })

  test(`a clock ignores a source that goes ${days} days back, until it has run evenly for an hour`, () => {
    const { now, pass, set, doubt } = clockAt(start)
    now()
    set(-by)
    assert.equal(now(), start)
    assert.match(doubt() ?? '', new RegExp(`${days} days behind the ledger`))
    pass(2_000)
    set(by)
    assert.equal(now(), start + 2_000)
    assert.equal(doubt(), undefined)
    set(-by)
    for (let passed = 0; passed < 60; passed++) {
      assert.ok(now() >= start + 2_000 + passed * minute * 0.9)
      pass(minute)
    }
    assert.equal(now(), start - by + 2_000 + hour)
    assert.match(doubt() ?? '', /followed it/)
    pass(hour)
    assert.equal(doubt(), undefined)
  })

  test(`a clock that starts ${days} days behind its log continues from there until its source is right`, () => {
    const late = [0, 1, 2, 3].map((hours) => start - hours * hour)
    const { now, set, pass, doubt } = clockAt(
      start - by,
      startOf({ newest: late, first: start - 20 * day }, start - by),
    )
    assert.equal(now(), start)
    assert.notEqual(doubt(), undefined)
    pass(minute)
    set(by)
    assert.equal(now(), start + minute)
    assert.equal(doubt(), undefined)
  })

  test(`a clock does not follow a log whose newest events are ${days} days ahead`, () => {
    const newest = [start + by + 1_000, start + by, start - minute, start - hour]
    const { now, pass, doubt } = clockAt(start, startOf({ newest, first: start - day }, start))
    assert.equal(now(), start)
    assert.match(doubt() ?? '', new RegExp(`${days} days ahead of the clock`))
    pass(hour)
    assert.equal(doubt(), undefined)
  })

  test(`a clock doubts that ${days} days have passed since the newest event, also after a restart`, () => {
    const log = { newest: [start, start - hour], first: start - day }
    const { now, doubt } = clockAt(start + by, startOf(log, start + by))
    assert.equal(now(), start + by)
    assert.match(doubt() ?? '', new RegExp(`leapt forward by ${days} days`))
    const written = { ...log, newest: [start + by, ...log.newest] }
    const again = clockAt(start + by + day, startOf(written, start + by + day))
    assert.match(again.doubt() ?? '', new RegExp(`leapt forward by ${days} days`))
    const later = start + by + 31 * day
    const since = [later - hour, later - 14 * day, ...written.newest, start + 2 * by]
    assert.equal(clockAt(later, startOf({ ...log, newest: since }, later)).doubt(), undefined)
  })
}

test('a clock starts no earlier than the newest event, and continues from there', () => {
  const { now, pass } = clockAt(start, startOf({ newest: [start + hour], first: start }, start))
  assert.equal(now(), start + hour)
  pass(10_000)
  assert.equal(now(), start + hour + 9_000)
  assert.equal(clockAt(start, startOf({ newest: [start - hour], first: start }, start)).now(), start)
  assert.equal(clockAt(start, startOf({ newest: [], first: undefined }, start)).now(), start)
})
