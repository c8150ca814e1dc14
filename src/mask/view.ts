/** A part of a text to mask, from `start` up to, but not including, `end`. */
export interface Span {
  start: number
  end: number
  /** The replacement; `[masked]` by default. */
  mark?: string
}

/** A text without escape sequences, or with its encoded characters decoded. */
export interface View {
  text: string
  /** The span of the original text that corresponds to a span of this one. */
  original(span: Span): Span
}

/**
 * Escape sequences of ECMA-48 that change how text looks: control sequences and sequences of two or three characters, also as
 * JSON, source code and `cat -v` write them. Sequences that carry text (OSC) stay in the view, because that text may be secret.
 */
const sequence =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with control characters.
  /(?:\x1b\[|\x9b|\^\[\[|\\(?:u00[19][bB]|x[19][bB]|[eE]|0?33)\[)[0-?]{0,100}[ -/]{0,10}[@-~]|\x1b[ -/]{1,2}[0-~]|\x1b[0-OQ-WYZ\\`-~]/g

/** Characters as JSON and URLs encode them. */
const spelling = /\\(?:u([0-9a-f]{4})|([nrtbf"'\\/]))|%(0[9ad]|[2-7][0-9a-f])/gi

const either = new RegExp(`${sequence.source}|${spelling.source}`, 'gi')

const blanks: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: ' ', f: ' ' }

/** The text as a terminal shows it. */
export const withoutEscapes = (text: string): View => viewed(text, sequence, () => '')

/** The escape sequences in a text, in order. */
export const escapesIn = (text: string): string[] => text.match(sequence) ?? []

/** The text with a blank for each escape sequence, and with the encoded characters of JSON and URLs decoded. */
export const spelledOut = (text: string): View =>
  viewed(text, either, ([, unicode, letter, percent]) => {
    const code = unicode ?? percent
    if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16))
    return letter === undefined ? ' ' : (blanks[letter] ?? letter)
  })

/** Combines a view of a view into a view of the original. */
export const within = (outer: View, inner: View): View => ({
  text: inner.text,
  original: (span) => outer.original(inner.original(span)),
})

/** Replaces each match with one character or none. */
function viewed(text: string, pattern: RegExp, meaning: (match: RegExpExecArray) => string): View {
  if (text.search(pattern) < 0) return { text, original: (span) => span }
  /** Where each piece begins in the view and in the original, and how many characters of the original one of its characters takes. */
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
      // The end of the last character, which leaves out an escape sequence after it.
      end: thereOf(pieces, span.end - 1).end,
    }),
  }
}

interface Piece {
  here: number
  there: number
  width: number
}

/** The span in the original of the character at a position of the view. */
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
