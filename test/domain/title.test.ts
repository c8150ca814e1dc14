import assert from 'node:assert/strict'
import { test } from 'node:test'
import { titleOf } from '../../src/text/title.ts'

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
