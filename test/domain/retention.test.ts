import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Aging, fateOf, type Retention, retentionOf } from '../../src/nouns/project/retention.ts'

const now = '2026-06-01T00:00:00.000Z'
const daysAgo = (days: number) => new Date(Date.parse(now) - days * 86_400_000).toISOString()

const run: Aging = {
  status: 'completed',
  endedAt: daysAgo(50),
  updatedAt: daysAgo(50),
  labels: [],
  expiredAt: null,
  checkedAt: null,
}
const retention: Retention = { contentDays: 30, runDays: 90, keep: { failed: true, labels: ['release'] } }

const cases: [string, Partial<Aging>, Partial<Retention>, 'kept' | 'erased' | 'deleted'][] = [
  ['its content is old', {}, {}, 'erased'],
  ['it is exactly as old as contents may be', { endedAt: daysAgo(30) }, {}, 'kept'],
  ['it is a moment older', { endedAt: daysAgo(30.00001) }, {}, 'erased'],
  ['it is older than runs are kept', { endedAt: daysAgo(91) }, {}, 'deleted'],
  ['contents are kept for ever', {}, { contentDays: null }, 'kept'],
  ['runs are kept for ever', { endedAt: daysAgo(3000) }, { runDays: null }, 'erased'],
  ['it is in progress', { status: 'in_progress', endedAt: null, updatedAt: daysAgo(3000) }, {}, 'kept'],
  ['it never ended', { status: 'pending', endedAt: null, updatedAt: daysAgo(91) }, {}, 'deleted'],
  ['it ended long ago and changed since', { updatedAt: daysAgo(1) }, {}, 'erased'],
  ['its content is gone', { expiredAt: daysAgo(20) }, {}, 'kept'],
  ['its content is gone, and it changed since', { expiredAt: daysAgo(20), updatedAt: daysAgo(19) }, {}, 'erased'],
  ['its content is gone, and it was checked since', { expiredAt: daysAgo(20), checkedAt: daysAgo(19) }, {}, 'erased'],
  ['its content is gone, and it is old', { expiredAt: daysAgo(60), endedAt: daysAgo(91) }, {}, 'deleted'],
  ['it failed', { status: 'failed', endedAt: daysAgo(91) }, {}, 'kept'],
  ['it failed, and failed runs are not kept', { status: 'failed' }, { keep: { failed: false, labels: [] } }, 'erased'],
  ['it has the label', { labels: ['team', 'release'], endedAt: daysAgo(91) }, {}, 'kept'],
  ['it has another label', { labels: ['releases'] }, {}, 'erased'],
]

for (const [when, some, others, fate] of cases) {
  test(`a run is ${fate} when ${when}`, () => {
    assert.equal(fateOf({ ...run, ...some }, { ...retention, ...others }, now), fate)
  })
}

test('a retention gets its defaults, and one that keeps everything is null', () => {
  assert.deepEqual(retentionOf({ runDays: 7, keep: { labels: ['a', 'a'] } }), {
    contentDays: null,
    runDays: 7,
    keep: { failed: false, labels: ['a'] },
  })
  assert.equal(retentionOf(null), null)
  assert.equal(retentionOf({ contentDays: null, keep: { failed: false, labels: [] } }), null)
  for (const keep of [{ failed: true }, { labels: ['release'] }]) {
    assert.throws(() => retentionOf({ contentDays: null, keep }), {
      message: /^retention\.keep: is only for a retention with contentDays or runDays/,
    })
  }
  assert.throws(() => retentionOf({ contentDays: 90, runDays: 30 }), {
    code: 'VALIDATION_ERROR',
    message: /contentDays: must be less than runDays \(30\), not 90/,
  })
})
