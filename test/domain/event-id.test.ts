import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventIdOf, placeOf, placePattern } from '../../src/log/event-id.ts'

const event = {
  ...{ seq: 41, projectId: 1, type: 'run.created', subject: 'RUN-007', subjectId: 7 },
  ...{ actorKind: 'key', keyId: 2, at: '2026-01-31T09:30:00.000Z' },
}

test('the id of an event is its seq and a digest, and never changes, because readers store it', () => {
  assert.equal(eventIdOf(event), '41-30e89a7baef9')
})

test('an event that differs in any of its fields has another id', () => {
  const others = Object.entries(event).map(([field, value]) => eventIdOf({ ...event, [field]: `${value}0` }))
  assert.equal(new Set([eventIdOf(event), ...others]).size, others.length + 1)
})

test('a position is the seq or the id of an event', () => {
  assert.deepEqual(placeOf(41), { seq: 41 })
  assert.deepEqual(placeOf('41'), { seq: 41 })
  assert.deepEqual(placeOf(eventIdOf(event)), { seq: 41, id: eventIdOf(event) })
  for (const right of ['0', '41', eventIdOf(event)]) assert.match(right, placePattern)
  for (const wrong of ['', '-1', '041', '1.5', '41-', '0-9f3c1a2b0d4e', '41-9F3C1A2B0D4E', '41-9f3c1a2b0d4', 'x'])
    assert.doesNotMatch(wrong, placePattern)
})
