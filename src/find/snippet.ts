const around = 80
const longest = 2 * around

/** What begins a line of Markdown: headings, quotes, items and their boxes, in any nesting. */
const lineMarks = /^[ \t]*(?:(?:>|#{1,6}|[-*+]|\d{1,4}[.)]|\[[ xX]\])[ \t]+)+/
const inlineMarks = /\*\*|__|`/g
/** The line of a table below its head, and what separates cells. */
const tableRule = /^[ \t]*(?:\|[ \t]*)?:?-+:?[ \t]*(?:\|[ \t:-]*)+$/
const cellEnds = /(?<![ \t])[ \t]*\|[ \t|]*/g

/** A line without the marks of Markdown. */
function plainLine(line: string): string {
  if (tableRule.test(line)) return ''
  const plain = line.replace(lineMarks, '').replace(inlineMarks, '').trim()
  return plain.startsWith('|') ? plain.replace(cellEnds, ' ').trim() : plain
}

/**
 * The part of `text` around the first of `terms`, with all terms in it marked; the beginning if there is none. It reads
 * as a sentence: without the marks of Markdown, and without lines that repeat the one before.
 */
export function snippetOf(text: string, terms: string[]): string {
  const near = windowOf(text, terms)
  const lines = near.text.split('\n').map(plainLine)
  const some = lines.filter((line) => line !== '')
  const plain = some.filter((line, at) => at === 0 || withoutEnd(line) !== withoutEnd(some[at - 1] ?? ''))
  const sentence = plain.join(' ').replace(/\s+/g, ' ')
  const at = indexOfTerm(sentence, terms) ?? 0
  const begin = at > around ? wordAfter(sentence, at - around) : 0
  const end = sentence.length - begin > longest ? wordBefore(sentence, begin + longest, at) : sentence.length
  const cut = sentence.slice(begin, end).toWellFormed().trim()
  const isBegun = begin > 0 || near.isBegun
  const isOpen = end < sentence.length || near.isOpen
  return `${isBegun ? '…' : ''}${marked(cut, terms)}${isOpen ? '…' : ''}`
}

const withoutEnd = (line: string) => line.replace(/[.:!?]$/, '')

/** How much text to look at on either side of a term: enough that what is left of it fills a snippet. */
const looked = 600

/** The lines around the first term. */
function windowOf(text: string, terms: string[]): { text: string; isBegun: boolean; isOpen: boolean } {
  const at = indexOfTerm(text, terms) ?? 0
  const lineStart = text.lastIndexOf('\n', at - 1) + 1
  // A line that begins nearby says more from its beginning on.
  const begin = at - lineStart <= around ? lineStart : Math.max(lineStart, at - looked)
  const end = Math.min(text.length, at + looked)
  return { text: text.slice(begin, end), isBegun: text.slice(0, begin).trim() !== '', isOpen: end < text.length }
}

/** Where the first of the terms is, in any case; undefined if there is none. */
export function indexOfTerm(text: string, terms: string[]): number | undefined {
  const lower = text.toLowerCase()
  // Lower case can change the length of a text (İ). Positions then do not match.
  if (lower.length !== text.length) return undefined
  const found = terms.map((term) => lower.indexOf(term)).filter((at) => at >= 0)
  return found.length > 0 ? Math.min(...found) : undefined
}

/** The start of the next word, if it is near. */
function wordAfter(text: string, at: number): number {
  const blank = text.indexOf(' ', at)
  return blank >= 0 && blank - at < 20 ? blank + 1 : at
}

/** The end of the last word before, if it is near and not before the term. */
function wordBefore(text: string, at: number, term: number): number {
  const blank = text.lastIndexOf(' ', at)
  return at - blank < 20 && blank > term + 20 ? blank : at
}

function marked(text: string, terms: string[]): string {
  if (terms.length === 0) return text
  const any = terms.map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).sort((a, b) => b.length - a.length)
  return text.replace(new RegExp(any.join('|'), 'giu'), '**$&**')
}
