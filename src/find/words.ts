/** What joins the words of code: paths, ids, members. */
const joiners = '._/:@#-'

/** Letters, with the marks on them, and digits. */
const letters = '[\\p{L}\\p{N}][\\p{L}\\p{M}\\p{N}]*'
/** Such, joined. */
const chunk = new RegExp(`${letters}(?:[${joiners}]+${letters})*`, 'gu')
/** A control sequence of a terminal, such as a colour: ECMA-48, 5.4. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it begins with one.
const control = /\x1b\[[0-?]{0,100}[ -/]{0,10}[@-~]/g
/** A character that joins words. */
export const joiner = new RegExp(`[${joiners}]`)
const separators = new RegExp(`[${joiners}]+`)
/** Letters of scripts that put no spaces between words, or add endings to them. */
const unspaced =
  /([\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Hangul}\p{scx=Thai}\p{scx=Lao}\p{scx=Khmer}\p{scx=Myanmar}]+)/u
const humps = /[\p{Lu}]?[\p{Ll}\p{N}]+|[\p{Lu}]+(?![\p{Ll}])/gu
/** Longer words are known by so many first characters. */
const longest = 100
/** Of a deeper path, what follows each of its first slashes. */
const mostEnds = 20

const isAscii = /^\p{ASCII}*$/u

const normal = (word: string) => word.slice(0, longest).toLowerCase()

/** A word by its scripts: `使用GitHub登录` are three pieces. What joins them is in none. */
const piecesOf = (whole: string): { text: string; isUnspaced: boolean }[] =>
  whole.split(unspaced).flatMap((piece, at) => {
    const text = piece.match(chunk)?.[0]
    return text === undefined ? [] : { text, isUnspaced: at % 2 === 1 }
  })

const lettersOf = (text: string): string[] => text.match(/.\p{M}*/gsu) ?? []

/** `abc` as `ab` and `bc`; a single letter as it is. */
function pairsOf(text: string): string[] {
  const all = lettersOf(text)
  return all.length === 1 ? all : all.slice(1).map((letter, at) => `${all[at]}${letter}`)
}

/**
 * The words by which a text is found: of `src/auth/loginForm.ts` the whole, what follows each slash, each part, and the
 * humps of `loginForm`; of text without spaces also each letter and each pair of letters. A control sequence of a terminal
 * separates words. In lower case, each once. At most some fourteen bytes of words come of each byte of text.
 */
export function wordsOf(text: string): Set<string> {
  const words = new Set<string>()
  const seen = new Set<string>()
  const plain = (text.includes('\x1b') ? text.replace(control, ' ') : text).normalize('NFC')
  for (const whole of plain.match(chunk) ?? []) {
    if (seen.has(whole)) continue
    seen.add(whole)
    // Most words are as plain as that, and have no parts to look for.
    if (/^[a-z0-9]+$/.test(whole)) {
      words.add(normal(whole))
      continue
    }
    for (let at = 0, ends = 0; at >= 0 && ends <= mostEnds; ends++) {
      words.add(normal(whole.slice(at)))
      const slash = whole.indexOf('/', at)
      at = slash < 0 ? -1 : slash + 1
    }
    for (const part of whole.split(separators)) {
      words.add(normal(part))
      for (const hump of part.match(humps) ?? []) words.add(normal(hump))
    }
    if (isAscii.test(whole)) continue
    const pieces = piecesOf(whole)
    if (pieces.every(({ isUnspaced }) => !isUnspaced)) continue
    for (const { text, isUnspaced } of pieces) {
      for (const some of isUnspaced ? [...lettersOf(text), ...pairsOf(text)] : wordsOf(text)) words.add(some)
    }
  }
  return words
}

/** A text in which the words of `wordsOf` stand as they are. A sigma has another form at the end of a word; here it has one. */
export const fold = (text: string) => text.normalize('NFC').toLowerCase().replaceAll('ς', 'σ')

const chunksIn = (query: string) => query.normalize('NFC').match(chunk) ?? []

/** The words of a query as it has them, in lower case. Whatever else it has is no syntax. */
export const askedIn = (query: string): string[] => chunksIn(query).map(normal)

/** A query of one sentence without spaces, in 200 bytes, has no more. */
const mostTerms = 70

/** The words that a query asks for, all of them; the last may be the beginning of one. */
export function termsOf(query: string): string[] {
  const pieces = chunksIn(query).flatMap(piecesOf)
  const terms = pieces.flatMap(({ text, isUnspaced }) => (isUnspaced ? pairsOf(text) : [normal(text)]))
  return [...new Set(terms)].slice(0, mostTerms)
}

const joined = new RegExp(`^[\\p{L}\\p{M}\\p{N}${joiners}]+`, 'u')

const open = new RegExp(`[\\p{L}\\p{M}\\p{N}${joiners}]$`, 'u')

/** Whether a word may go on after the end of `text`. */
export const endsInWord = (text: string) => open.test(text)

/** How many characters at the beginning of `text` go on with a word that began before it. */
export const continuation = (text: string) => joined.exec(text)?.[0].length ?? 0
