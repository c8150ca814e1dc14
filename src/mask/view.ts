import type { Span } from './span.ts'

/** A text as it is meant, without what only says how it looks or is spelled. */
export interface View {
  text: string
  /** The span of the original text that means this one. */
  original(span: Span): Span
}

/**
 * Escape sequences that change how text looks, by ECMA-48: control sequences, and those of two or three characters. Also
 * as JSON, source code and `cat -v` spell them. Those that carry text (OSC) stay: what they carry may be secret.
 */
const sequence =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with them.
  /(?:\x1b\[|\x9b|\^\[\[|\\(?:u00[19][bB]|x[19][bB]|[eE]|0?33)\[)[0-?]{0,100}[ -/]{0,10}[@-~]|\x1b[ -/]{1,2}[0-~]|\x1b[0-OQ-WYZ\\`-~]/g

/** Characters as JSON and as addresses spell them. */
const spelling = /\\(?:u([0-9a-f]{4})|([nrtbf"'\\/]))|%(0[9ad]|[2-7][0-9a-f])/gi

const either = new RegExp(`${sequence.source}|${spelling.source}`, 'gi')

const blanks: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: ' ', f: ' ' }

/** The text as a terminal shows it. */
export const withoutEscapes = (text: string): View => viewed(text, sequence, () => '')

/** The escape sequences in a text, in order. */
export const escapesIn = (text: string): string[] => text.match(sequence) ?? []

/** The text with a blank for each escape sequence, and with the characters that JSON and addresses spell otherwise. */
export const spelledOut = (text: string): View =>
  viewed(text, either, ([, unicode, letter, percent]) => {
    const code = unicode ?? percent
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16))
    return letter === undefined ? ' ' : (blanks[letter] ?? letter)
  })

/** A view of a view, as one of the original. */
export const within = (outer: View, inner: View): View => ({
  text: inner.text,
  original: (span) => outer.original(inner.original(span)),
})

/** The text with one character, or none, in the place of each match. */
function viewed(text: string, pattern: RegExp, meaning: (match: RegExpExecArray) => string): View {
  if (text.search(pattern) < 0) return { text, original: (span) => span }
  /** Where each piece begins here and in the original, and how long a character of it is there. */
  const pieces: Piece[] = [{ here: 0, there: 0, width: 1 }]
  const parts: string[] = []
  let length = 0
  let from = 0
  for (const match of text.matchAll(pattern)) {
    const meant = meaning(match)
    parts.push(text.slice(from, match.index), meant)
    length += match.index - from
    from = match.index + match[0].length
    if (meant !== '') pieces.push({ here: length, there: match.index, width: match[0].length })
    length += meant.length
    pieces.push({ here: length, there: from, width: 1 })
  }
  parts.push(text.slice(from))
  return {
    text: parts.join(''),
    original: (span) => ({
      ...span,
      start: thereOf(pieces, span.start).start,
      // By the last character, so that no escape sequence after it is taken in.
      end: thereOf(pieces, span.end - 1).end,
    }),
  }
}

interface Piece {
  here: number
  there: number
  width: number
}

/** The span in the original of the character at a position. */
function thereOf(pieces: Piece[], position: number): Span {
  let low = 0
  let high = pieces.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((pieces[middle] as Piece).here <= position) low = middle
    else high = middle - 1
  }
  const { here, there, width } = pieces[low] as Piece
  const start = there + position - here
  return { start, end: start + width }
}
