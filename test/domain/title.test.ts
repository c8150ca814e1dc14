import assert from 'node:assert/strict'
import { test } from 'node:test'
import { titleOf } from '../../src/ledger/title.ts'

const mebibyte = 1_048_576

const worst: [what: string, content: string][] = [
  ['a heading with spaces inside', `# a${' '.repeat(mebibyte)}b`],
  ['a heading of hashes', `# ${'#'.repeat(mebibyte)}b`],
  ['hashes and spaces in turn', `# ${'# '.repeat(mebibyte / 2)}b`],
  ['a line of spaces', `${' '.repeat(mebibyte)}b`],
  ['spaces in each of many lines', `# a${' '.repeat(10_000)}b\n`.repeat(100).replaceAll('#', '-')],
  ['half a surrogate pair where the line is cut', `# ${'x'.repeat(997)}😀${'y'.repeat(mebibyte)}`],
]

for (const [what, content] of worst) {
  test(`a title is found at once: ${what}`, () => {
    const begin = process.cpuUsage()
    titleOf(content)
    const { user } = process.cpuUsage(begin)
    assert.ok(user < 200_000, `${user} µs`)
  })
}

const titles: [content: string, title: string | null][] = [
  ['## Log in ##  ', 'Log in'],
  ['# C#', 'C#'],
  ['# #', '# #'],
  ['#no heading\n# One', 'One'],
  ['```\n# code\n```\n# Two', 'Two'],
  ['```\n# code\n```\ntext', '# code'],
  [`${'\n'.repeat(200)}# too late`, null],
]
for (const [content, title] of titles) {
  test(`the title of ${JSON.stringify(content.slice(0, 30))}`, () => assert.equal(titleOf(content), title))
}
