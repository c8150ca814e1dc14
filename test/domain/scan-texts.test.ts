import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mapTexts } from '../../src/log/event.ts'
import { scanTexts } from '../../src/log/scan-texts.ts'
import fc from '../support/random.ts'

const names = fc.oneof(
  fc.constantFrom(
    'title',
    'status',
    'labels',
    'keep',
    'erased',
    'where',
    'at',
    'commits',
    '10',
    '__proto__',
    'a"b',
    'c\\d',
    '',
  ),
  fc.string({ unit: 'binary', maxLength: 4 }),
)
const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('\\', '\\"', '"', '":', '{"erased":"x"}', '\ud800', '\u2028', 'a'.repeat(64), 'f'.repeat(64)),
)
const erased = fc.constantFrom({ erased: 'a'.repeat(64) }, { erased: 'short' }, { erased: 'b'.repeat(64), other: 1 })
const { changes } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    texts,
    fc.constantFrom(null, true, 0, -1.5, 1e21),
    erased,
    tie('list'),
    tie('fields'),
  ),
  list: fc.array(tie('value'), { maxLength: 3 }),
  fields: fc.array(fc.tuple(names, tie('value')), { maxLength: 4 }).map((pairs) => JSON.parse(jsonOf(pairs))),
  changes: tie('fields'),
}))

/** JSON of an object with any names, also `__proto__`. */
const jsonOf = (pairs: [string, unknown][]) =>
  `{${pairs.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join()}}`

test('texts are replaced in JSON as in values', () => {
  const property = fc.property(changes, (value) => {
    const [seen, wanted]: [string[], string[]] = [[], []]
    const mapped = mapTexts(value, (text) => {
      wanted.push(text)
      return { erased: wanted.length }
    })
    const scanned = scanTexts(JSON.stringify(value), (text) => {
      seen.push(text)
      return `{"erased":${seen.length}}`
    })
    assert.deepEqual(seen, wanted)
    assert.equal(scanned, JSON.stringify(mapped))
  })
  fc.assert(property, { numRuns: 2_000 })
})

test('JSON in another form, or incomplete, is left to the parser', () => {
  for (const json of ['{"a": 1}', '{"a":"b"', '{"a":"b', '[', '{"a":\n1}', '{"a":"b\\"}', '["a"] ']) {
    assert.equal(
      scanTexts(json, () => '""'),
      undefined,
      json,
    )
  }
})
