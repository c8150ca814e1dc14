/** A part of a text to mask, from `start` up to, but not including, `end`. */
export interface MaskedSpan {
  start: number
  end: number
  /** The replacement; `[masked]` by default. */
  mark?: string
}

/** A text without escape sequences, or with its encoded characters decoded. */
export interface View {
  text: string
  /** The span of the original text that corresponds to a span of this one. */
  original(span: MaskedSpan): MaskedSpan
}

/**
 * Escape sequences of ECMA-48 that change how text looks: control sequences and sequences of two or three characters, also as
 * JSON, source code and `cat -v` write them, and the end of a link. Other sequences that carry text (OSC) stay in the view,
 * because that text may be secret.
 */
const sequence =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with control characters.
  /\x1b\]8;;(?:\x07|\x1b\\)|(?:\x1b\[|\x9b|\^\[\[|\\(?:u00[19][bB]|x[19][bB]|[eE]|0?33)\[)[0-?]{0,100}[ -/]{0,10}[@-~]|\x1b[ -/]{1,2}[0-~]|\x1b[0-OQ-WYZ\\`-~]/g

/**
 * What a terminal, an editor or a page does not show: the beginning of a link (OSC 8), a character under another one, every
 * second byte of UTF-16, and characters without width.
 */
const unseen =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: backspaces and zeros are such characters.
  /\x1b\]8;[^\x07\x1b\n]{1,2000}(?:\x07|\x1b\\)|[^\n\x08]\x08|\0(?=[^\0]\0)|(?<=\0[^\0])\0|[\u00ad\u200b-\u200d\u2060\ufeff]/g

/** All that `asSeen` leaves out. A link comes first, because an escape sequence may end it. */
const hidden = new RegExp(`${unseen.source}|${sequence.source}`, 'g')

/** Characters as JSON, source code and URLs encode them. */
const spelling = /\\(?:u([0-9a-f]{4})|x([0-9a-f]{2})|([nrtbf"'\\/]))|%(0[9ad]|[2-7][0-9a-f])/gi

const either = new RegExp(`${sequence.source}|${spelling.source}`, 'gi')

const blanks: Record<string, string> = { n: '\n', r: '\r', t: '\t', b: '\b', f: ' ' }

/** The text without colours. */
export const withoutEscapes = (text: string): View => viewed(text, sequence, () => '')

/** The text as people see it. */
export const asSeen = (text: string): View => viewed(text, hidden, () => '')

/** The escape sequences in a text, in order, without the beginnings of links. */
export const escapesIn = (text: string): string[] =>
  (text.match(hidden) ?? []).filter((found) => found.search(sequence) === 0)

/** The text with a blank for each escape sequence, and with the encoded characters of JSON and URLs decoded. */
export const spelledOut = (text: string): View =>
  viewed(text, either, ([, unicode, byte, letter, percent]) => {
    const code = unicode ?? byte ?? percent
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
function thereOf(pieces: Piece[], position: number): MaskedSpan {
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
