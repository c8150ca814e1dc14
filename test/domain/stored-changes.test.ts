import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Changes } from '../../src/log/event.ts'
import { packed, unpacked } from '../../src/log/record.ts'

const digest = '7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed'

test('changes are stored and read back, and a plain append takes half the space', () => {
  const appends: Changes[] = [
    { content: [null, { bytes: 35, appended: digest }] },
    { content: [{ bytes: 1_048_541 }, { bytes: 1_048_576, appended: digest }] },
  ]
  for (const changes of appends) {
    assert.ok(packed(changes).length < 65, packed(changes))
    assert.equal(unpacked(packed(changes)), JSON.stringify(changes))
    // Earlier versions stored these changes unpacked.
    assert.equal(unpacked(JSON.stringify(changes)), JSON.stringify(changes))
  }
})

const odd: [what: string, Changes][] = [
  ['none', {}],
  ['another field besides an append', { content: [null, { bytes: 35, appended: digest }], title: [null, 'A log'] }],
  ['another field alone', { title: [null, [1, 2, 'x']] }],
  ['a whole content', { content: [null, { bytes: 3, sha256: digest }] }],
  [
    'an append to a whole content',
    {
      content: [
        { bytes: 3, sha256: digest },
        { bytes: 5, appended: digest },
      ],
    },
  ],
  ['an append to an empty content instead of null', { content: [{ bytes: 0 }, { bytes: 5, appended: digest }] }],
  ['an append without a digest', { content: [{ bytes: 3 }, { bytes: 5 }] }],
  ['a digest of another form', { content: [{ bytes: 3 }, { bytes: 5, appended: digest.toUpperCase() }] }],
  ['a deleted content', { content: [{ bytes: 3 }, null] }],
]
for (const [what, changes] of odd) {
  test(`changes are stored unpacked: ${what}`, () => {
    assert.equal(packed(changes), JSON.stringify(changes))
    assert.equal(unpacked(packed(changes)), JSON.stringify(changes))
  })
}
