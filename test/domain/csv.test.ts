import assert from 'node:assert/strict'
import { test } from 'node:test'
import { csvLine } from '../../src/contract/csv-line.ts'

/** A value and its cell. */
const cells: [value: unknown, cell: string][] = [
  ['a=b', 'a=b'],
  ['a,b', '"a,b"'],
  ['a"b', '"a""b"'],
  ['a\nb', '"a\nb"'],
  ['a\r\nb', '"a\r\nb"'],
  [' a ', ' a '],
  ['', '""'],
  [null, ''],
  [undefined, ''],
  // Numbers stay numbers.
  [-5, '-5'],
  [0.1, '0.1'],
  [true, 'true'],
  [['=a'], '"[""=a""]"'],
  [{ a: 1 }, '"{""a"":1}"'],
  // A spreadsheet would run these.
  ['=1+1', "'=1+1"],
  ['+1', "'+1"],
  ['-1', "'-1"],
  ['@x', "'@x"],
  ['\tx', "'\tx"],
  ['\rx', '"\'\rx"'],
  ['\nx', '"\'\nx"'],
  ['＝1', "'＝1"],
  ['＋1', "'＋1"],
  ['－1', "'－1"],
  ['＠x', "'＠x"],
  ['=HYPERLINK("x","y")', '"\'=HYPERLINK(""x"",""y"")"'],
  // So that one apostrophe can be removed from any text.
  ["'=1", "''=1"],
]

test('a line of CSV quotes by RFC 4180, and no cell is a formula', () => {
  for (const [value, cell] of cells) assert.equal(csvLine([value]), `${cell}\r\n`)
  assert.equal(csvLine(cells.map(([value]) => value)), `${cells.map(([, cell]) => cell).join(',')}\r\n`)
  assert.equal(csvLine([]), '\r\n')
})
