import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from '../support/built.ts'
import { assertLinear, mebibyte, type Shape } from '../support/linear.ts'
import { size } from './size.ts'

const longest = size(mebibyte / 8, mebibyte)
/** The number of characters of each expression that are combined into pairs. */
const paired = size(0, 6)

/** Matches a literal of a regular expression, where one may begin. */
const literal =
  /(?<=(?:[=(,:[!&|?>]|return|^)\s*)\/(?![/*])((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+)\/([dgimsuvy]*)(?=[,;)\].\s])/gm

/** Each regular expression in the sources, with the first file that has it. */
function expressions(): Map<string, [RegExp, string]> {
  const found = new Map<string, [RegExp, string]>()
  for (const path of globSync('{src,bin}/**/*.{ts,tsx,cjs}', { cwd: root }).sort()) {
    const code = readFileSync(join(root, path), 'utf8').replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '')
    for (const [whole, source = '', flags] of code.matchAll(literal)) {
      if (!found.has(whole)) found.set(whole, [new RegExp(source, flags), path])
    }
  }
  return found
}

/** Characters that match an escape of a regular expression. */
const escapes: Record<string, string> = { d: '1', w: 'a', s: ' ', S: 'a', W: ' ', D: 'a', n: '\n', r: '\r', t: '\t' }

/** Approximately a text that the regular expression matches: its source without the special characters. */
const textOf = (source: string) =>
  source
    .replaceAll(/\\x([0-9a-f]{2})|\\u([0-9a-f]{4})/gi, (_, two, four) =>
      String.fromCharCode(Number.parseInt(two ?? four, 16)),
    )
    .replaceAll(/\\[pP]\{[^}]*\}/g, 'é')
    .replaceAll(/\(\?(?:<?[=!]|:|<\w+>)|\{\d*,?\d*\}/g, '')
    .replaceAll(/\\(.)/g, (_, one: string) => escapes[one] ?? one)

/** Texts that repeat parts of a match, from the start or after a match, and then end wrong. */
function shapesOf(source: string): Shape[] {
  const text = textOf(source)
  const characters = [...new Set(`${text}a\n `)]
  const words = text.split(/[()|[\]?*+^$.]+/).filter((word) => word.length > 1)
  const some = characters.slice(0, paired)
  const pairs = some.flatMap((one) => some.filter((other) => other !== one).map((other) => one + other))
  const units = [...characters, ...words, words.join(''), ...pairs].filter((unit) => unit !== '')
  return [...new Set(units)].flatMap((unit) =>
    ['', words.join('')].map(
      (beginning): Shape =>
        (length) =>
          `${beginning}${unit.repeat(length / unit.length)}\0`,
    ),
  )
}

const all = expressions()

test('the test finds the regular expressions of the sources', () => {
  assert.ok(all.size > 150, `only ${all.size}`)
})

for (const [whole, [expression, path]] of all) {
  test(`${whole} of ${path} reads ${longest / 1024} KiB in linear time`, () =>
    assertLinear(shapesOf(expression.source), (text) => text.replace(expression, ''), longest))
}
