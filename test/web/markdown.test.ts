import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Token } from 'marked'
import { markdownOf } from '../../src/web/ui/markdown.ts'

const size = 1_048_576
const filled = (text: string) => text.repeat(Math.ceil(size / text.length)).slice(0, size)
/** Paragraphs of the maximum length. */
const paragraphs = (text: string) => filled(`${text.repeat(Math.floor(9_990 / text.length))}\n\n`)

/** Texts that are slow to parse, or deeply nested. */
const hostile: Record<string, string> = {
  emphasis: filled('_a'),
  'emphasis in paragraphs': paragraphs('_a'),
  'stars in paragraphs': paragraphs('*a **b '),
  'brackets in paragraphs': paragraphs('['),
  'links in paragraphs': paragraphs('[a](b'),
  quotes: filled('> '),
  'quotes in quotes in lists': filled('> - > 1. '),
  'quotes that continue without a mark': filled('> a\nb\n'),
  'lists in quotes': filled('> - a\nb\n'),
  'quotes after quotes': filled('> > a\n> b\n'),
  'lists in lists': Array.from({ length: 1400 }, (_, depth) => `${' '.repeat(depth)}- a`).join('\n'),
  'a long list': filled('- a\n'),
  'a list that continues without a mark': filled('- a\nb\n'),
  'a table': `|a|b|\n|-|-|\n${filled('|a|b|\n')}`,
}

/** The depth of nesting of tokens. */
function depthOf(tokens: Token[]): number {
  const inner = tokens.map((token) => {
    const { tokens = [], items = [] } = token as { tokens?: Token[]; items?: Token[] }
    return depthOf([...tokens, ...items])
  })
  return tokens.length === 0 ? 0 : 1 + inner.reduce((most, depth) => Math.max(most, depth), 0)
}

for (const [what, text] of Object.entries(hostile)) {
  test(`a megabyte of ${what} takes bounded time and depth, and loses nothing`, { timeout: 10_000 }, () => {
    const { tokens, rest } = markdownOf(text)
    assert.equal(tokens.map(({ raw }) => raw).join('') + rest, text)
    assert.ok(depthOf(tokens) < 100, String(depthOf(tokens)))
  })
}

test("an ordinary text is parsed to its end, with GitHub's additions to Markdown", () => {
  const section =
    '## A head\n\nSome *words* and ~~others~~.\n\n> a quote\n> with *two* lines\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n'
  const { tokens, rest } = markdownOf(section.repeat(500))
  assert.equal(rest, '')
  assert.equal(tokens.filter(({ type }) => type === 'table').length, 500)
  const quotes = tokens.filter(({ type }) => type === 'blockquote')
  assert.match(JSON.stringify(quotes.at(-1)), /"type":"em"/)
})

test('a text that is too long is cut between lines', () => {
  const { tokens, rest } = markdownOf('a line of words\n\n'.repeat(100_000))
  assert.ok(rest.startsWith('a line'))
  assert.equal(tokens.at(0)?.type, 'paragraph')
})
