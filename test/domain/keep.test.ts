import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDue, isOverdue, readKeep, toForget } from '../../src/engine/sqlite/backups.ts'

const hour = 3_600_000
const day = 24 * hour
/** A Wednesday. */
const noon = Date.parse('2026-07-15T12:00:00.000Z')

test('a policy is parsed, smallest unit first', () => {
  assert.deepEqual(readKeep('4w, 24h,7d'), [
    { unit: 'h', count: 24 },
    { unit: 'd', count: 7 },
    { unit: 'w', count: 4 },
  ])
  for (const wrong of ['', '0h', '24', '24x', '1h,2h', 'h', '-1d', '24h,', '1.5d'])
    assert.throws(() => readKeep(wrong), /must be counts of hours, days, weeks and months, each once, like 24h,7d,4w/)
})

test('a backup is due once in each period of the smallest unit', () => {
  const keep = readKeep('2h,2d')
  assert.ok(isDue(keep, undefined, noon))
  assert.ok(!isDue(keep, noon, noon + hour - 1))
  assert.ok(isDue(keep, noon, noon + hour))
  assert.ok(!isDue(readKeep('7d'), noon, noon + 11 * hour))
  assert.ok(isDue(readKeep('7d'), noon, noon + 12 * hour))
  assert.ok(!isDue(readKeep('4w'), noon, Date.parse('2026-07-19T23:59:59.999Z')))
  assert.ok(isDue(readKeep('4w'), noon, Date.parse('2026-07-20T00:00:00.000Z')))
  assert.ok(!isDue(keep, noon, noon - 5 * hour), 'a clock that was set back makes no backup after the other')
})

test('a backup is overdue half an hour after it is due', () => {
  const keep = readKeep('24h')
  assert.ok(isOverdue(keep, undefined, noon))
  assert.ok(!isOverdue(keep, noon, noon + 1.5 * hour - 1))
  assert.ok(isOverdue(keep, noon, noon + 1.5 * hour))
  assert.ok(!isOverdue(readKeep('4w'), noon, noon + 3 * day))
})

test('of hourly backups over a year, those of the last hours, days and weeks are kept', () => {
  const times = Array.from({ length: 365 * 24 }, (_, n) => noon - n * hour)
  const kept = (text: string) => {
    const gone = new Set(toForget(readKeep(text), times))
    return times.filter((time) => !gone.has(time)).map((time) => new Date(time).toISOString().slice(0, 13))
  }
  assert.deepEqual(kept('3h,2d'), ['2026-07-15T12', '2026-07-15T11', '2026-07-15T10', '2026-07-14T23'])
  assert.deepEqual(kept('3w'), ['2026-07-15T12', '2026-07-12T23', '2026-07-05T23'])
  assert.deepEqual(kept('2m'), ['2026-07-15T12', '2026-06-30T23'])
  assert.equal(
    kept('24h,7d,4w').length,
    24 + 5 + 2,
    'two of the days are among the hours, two of the weeks among the days',
  )
})

test('hours without a backup do not count, and the newest backup is always kept', () => {
  const times = [noon, noon - 100 * day, noon - 200 * day]
  assert.deepEqual(toForget(readKeep('2h'), times), [noon - 200 * day])
  assert.deepEqual(toForget([], [noon]), [])
})
