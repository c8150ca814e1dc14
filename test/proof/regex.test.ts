import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { root } from '../support/built.ts'
import { assertLinear, mebibyte, type Shape } from '../support/linear.ts'
import { size } from './size.ts'

const longest = size(mebibyte / 64, mebibyte)
/** How many of its characters are combined to pairs. */
const paired = size(0, 6)

/** Where a regular expression may begin, and the literal itself. */
const literal =
  /(?<=(?:[=(,:[!&|?>]|return|^)\s*)\/(?![/*])((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+)\/([dgimsuvy]*)(?=[,;)\].\s])/gm

/** Each regular expression of the sources, with the file that has it first. */
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

/** Characters that an escape of a regular expression stands for. */
const escapes: Record<string, string> = { d: '1', w: 'a', s: ' ', S: 'a', W: ' ', D: 'a', n: '\n', r: '\r', t: '\t' }

/** The text that is left of a regular expression without its signs: as it may be read, nearly. */
const textOf = (source: string) =>
  source
    .replaceAll(/\\x([0-9a-f]{2})|\\u([0-9a-f]{4})/gi, (_, two, four) =>
      String.fromCharCode(Number.parseInt(two ?? four, 16)),
    )
    .replaceAll(/\\[pP]\{[^}]*\}/g, 'é')
    .replaceAll(/\(\?(?:<?[=!]|:|<\w+>)|\{\d*,?\d*\}/g, '')
    .replaceAll(/\\(.)/g, (_, one: string) => escapes[one] ?? one)

/** Texts that repeat what the expression reads, from its start and after all that it reads, and then end wrong. */
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

test('the regular expressions of the sources are found', () => {
  assert.ok(all.size > 150, `only ${all.size}`)
})

for (const [whole, [expression, path]] of all) {
  test(`${whole} of ${path} takes time in proportion to ${longest / 1024} KiB`, () =>
    assertLinear(shapesOf(expression.source), (text) => text.replace(expression, ''), longest))
}
