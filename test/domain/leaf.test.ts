import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import { test } from 'node:test'
import { type Changes, hasTextToErase, mapTexts } from '../../src/log/event.ts'
import { entryOf, eraseTexts, leafOf, type StoredEvent, sealEvent } from '../../src/log/seal/leaf.ts'

const changes: Changes = {
  title: [null, 'Fix the login'],
  status: ['pending', 'failed'],
  labels: [null, { status: 'green', erased: 'f'.repeat(64), team: 'blue' }],
  links: [null, [{ rel: 'pr', href: 'https://example.com/1' }]],
  failure: [null, { code: 'TIMEOUT', message: 'It took too long' }],
  content: [null, { bytes: 12, sha256: 'a'.repeat(64), appended: 'b'.repeat(64) }],
  exitCode: [null, 1],
  features: [null, [1, 2]],
}
const event: StoredEvent = {
  ...{ seq: 7, projectId: 1, type: 'run.updated', subject: 'RUN-7', subjectId: 7, actorKind: 'key', keyId: 2 },
  ...{ at: '2026-01-31T09:30:00.000Z', imported: 0, changes },
}
/** The event as the log stores it. */
const stored = { ...event, changes: JSON.stringify(changes) }
const texts = ['Fix the login', 'green', 'f'.repeat(64), 'blue', 'pr', 'https://example.com/1', 'It took too long']

test('the texts of an event are those that people and agents wrote, in any field', () => {
  const found: string[] = []
  mapTexts(changes, (text) => found.push(text))
  assert.deepEqual(found, texts)
  assert.deepEqual(
    mapTexts(changes, (text) => text),
    changes,
  )
})

test('an entry has the hash of each text, and everything else unchanged', () => {
  const salts = Buffer.alloc(16 * texts.length, 1)
  const [, title] = JSON.parse(entryOf(event, salts))[9].title
  assert.deepEqual(title, {
    erased: hash('sha256', Buffer.concat([salts.subarray(0, 16), Buffer.from('Fix the login')])),
  })
  for (const text of texts) assert.ok(!entryOf(event, salts).includes(`"${text}"`), text)
  assert.ok(entryOf(event, salts).startsWith('[7,1,"run.updated","RUN-7",7,"key",2,"2026-01-31T09:30:00.000Z",0,{'))
})

test('an entry keeps a label named like a property of the prototype', () => {
  const labels = JSON.parse('[null, {"__proto__": "blue"}]')
  const entry = entryOf({ ...event, changes: { labels } }, Buffer.alloc(16))
  assert.match(entry, /\{"labels":\[null,\{"__proto__":\{"erased":"[0-9a-f]{64}"\}\}\]\}\]$/)
})

test('a text of any length and script is hashed as UTF-8 after its salt', () => {
  const salts = Buffer.alloc(16, 7)
  for (const text of ['', 'é', '漢字', '😀'.repeat(2_000), 'x'.repeat(4_080), 'x'.repeat(4_081), '\ud800']) {
    const [, title] = JSON.parse(entryOf({ ...event, changes: { title: [null, text] } }, salts))[9].title
    assert.equal(title.erased, hash('sha256', Buffer.concat([salts, Buffer.from(text)])))
  }
})

test('every event has its own salts', () => {
  const all = Array.from({ length: 500 }, () => sealEvent(stored))
  for (const { leaf, salts } of all) assert.deepEqual(leafOf(event, salts), leaf)
  const each = all.flatMap(({ salts }) => salts.toString('hex').match(/.{32}/g) ?? [])
  assert.equal(new Set(each).size, 500 * texts.length)
})

test('the leaf of an event is the same in every later version', () => {
  const salts = Buffer.from(Array.from({ length: 16 * texts.length }, (_, n) => n))
  assert.equal(leafOf(event, salts).toString('hex'), '914cdf7be72f5c586fb55d99338eff8c1a5e6a08c7a1eab71763968694618e5f')
})

test('the leaf depends on every field of an event', () => {
  const { leaf, salts } = sealEvent(stored)
  assert.deepEqual(leafOf(event, salts), leaf)
  const others: Partial<StoredEvent>[] = [
    { seq: 8 },
    { projectId: null },
    { type: 'run.created' },
    { subject: 'RUN-8' },
    { subjectId: 8 },
    { actorKind: 'local' },
    { keyId: null },
    { at: '2026-01-31T09:30:00.001Z' },
    { imported: 1 },
    { changes: { ...changes, status: ['pending', 'completed'] } },
    { changes: { ...changes, title: [null, 'Fix the logout'] } },
    { changes: { ...changes, labels: [null, { state: 'green', erased: 'f'.repeat(64), team: 'blue' }] } },
  ]
  for (const other of others) assert.notDeepEqual(leafOf({ ...event, ...other }, salts), leaf, JSON.stringify(other))
  assert.notDeepEqual(sealEvent(stored).leaf, leaf)
  assert.throws(() => leafOf(event, salts.subarray(16)), /no salt/)
  assert.throws(() => leafOf(event, Buffer.concat([salts, salts])), /more salts/)
})

test('erasing removes the texts and their salts, and the leaf stays the same', () => {
  const { leaf, salts } = sealEvent(stored)
  for (const gone of texts) {
    const at = texts.indexOf(gone)
    const rest = eraseTexts(changes, salts, (text) => text === gone)
    const expected = Buffer.concat([salts.subarray(0, at * 16), salts.subarray((at + 1) * 16)])
    assert.deepEqual(rest.salts, expected)
    assert.ok(!JSON.stringify(rest.changes).includes(`"${gone}"`))
    assert.deepEqual(leafOf({ ...event, changes: rest.changes }, rest.salts), leaf)
  }
  const none = eraseTexts(changes, salts, () => true)
  assert.equal(none.salts.length, 0)
  assert.ok(!hasTextToErase(none.changes, () => true))
  assert.deepEqual(leafOf({ ...event, changes: none.changes }, none.salts), leaf)
  assert.deepEqual(
    eraseTexts(none.changes, none.salts, () => true),
    none,
  )
  assert.deepEqual(
    eraseTexts(changes, salts, () => false),
    { changes, salts },
  )
})

test('erasing the labels that a retention keeps leaves the leaf as it was', () => {
  const retention = { contentDays: 1, keep: { failed: false, labels: ['release', 'audit'] } }
  const event = { ...stored, type: 'project.updated', changes: JSON.stringify({ retention: [null, retention] }) }
  const { leaf, salts } = sealEvent(event)
  for (const word of ['release', 'audit']) {
    const left = eraseTexts(JSON.parse(event.changes), salts, (text) => text === word)
    assert.equal(left.salts.length, salts.length / 2)
    assert.deepEqual(leafOf({ ...event, changes: left.changes }, left.salts), leaf)
  }
})

test('the leaf of an event does not depend on how its JSON is written', () => {
  for (const changes of [stored.changes, JSON.stringify(event.changes, null, 1)]) {
    const { leaf, salts } = sealEvent({ ...event, changes })
    assert.deepEqual(leafOf(event, salts), leaf)
  }
  assert.throws(() => sealEvent({ ...event, changes: '[' }), SyntaxError)
})
