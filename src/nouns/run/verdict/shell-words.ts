/** What ends a command, or makes of it more than one. */
const operators = new Set([...'|&;()\n'])
/** What the shell may replace in a word. Two such words are equal only if they are written alike. */
const expands = new Set([...'$`*?[{~!'])

/**
 * The words of one simple command of a POSIX shell, without quotes, and without redirections of its output. A word that
 * the shell would expand stays as it is written, after a NUL. Undefined if the text is not one simple command.
 */
export function shellWords(text: string): string[] | undefined {
  const source = text.trim()
  const words: string[] = []
  for (let at = 0; at < source.length; ) {
    const first = source.charAt(at)
    if (first === ' ' || first === '\t') at++
    else if (first === '#') at = source.includes('\n', at) ? source.indexOf('\n', at) : source.length
    else if (redirectionAt(source, at)) {
      const { length, isOutput } = redirectionAt(source, at) as Redirection
      const target = wordAt(source, skipBlanks(source, at + length))
      if (!target || target.word === '' || !(isOutput || target.word === '/dev/null')) return undefined
      at = target.end
    } else {
      const found = wordAt(source, at)
      if (!found || found.end === at) return undefined
      words.push(found.word)
      at = found.end
    }
  }
  return words
}

interface Redirection {
  length: number
  isOutput: boolean
}

/** The longest operators first. `2>` is one too, but `a2>` ends the word `a2`. */
const redirection = /(?:&>>?|\d?(?:>>|>&|>\||>|<(?![<>&])))/y

function redirectionAt(source: string, at: number): Redirection | undefined {
  redirection.lastIndex = at
  const [found] = redirection.exec(source) ?? []
  return found === undefined ? undefined : { length: found.length, isOutput: !found.includes('<') }
}

function skipBlanks(source: string, at: number): number {
  let end = at
  while (source[end] === ' ' || source[end] === '\t') end++
  return end
}

interface FoundWord {
  word: string
  end: number
}

/** The word that begins there; undefined if a quote stays open. */
function wordAt(source: string, begin: number): FoundWord | undefined {
  const pieces: string[] = []
  let isPlain = true
  let at = begin
  while (at < source.length) {
    const char = source.charAt(at)
    if (char === ' ' || char === '\t' || char === '<' || char === '>' || operators.has(char)) break
    if (char === '\\') {
      if (source[at + 1] !== '\n') pieces.push(source.charAt(at + 1))
      at += 2
    } else if (char === "'" || char === '"') {
      const end = char === "'" ? source.indexOf("'", at + 1) : closing(source, at + 1)
      if (end < 0) return undefined
      const inner = source.slice(at + 1, end)
      // A backslash keeps its meaning between double quotes: too rare to be worth more.
      if (char === '"' && /[$`\\!]/.test(inner)) isPlain = false
      pieces.push(inner)
      at = end + 1
    } else {
      if (expands.has(char)) isPlain = false
      pieces.push(char)
      at++
    }
  }
  return { word: isPlain ? pieces.join('') : `\0${source.slice(begin, at)}`, end: at }
}

/** Where a double quote closes, or -1. */
function closing(source: string, from: number): number {
  for (let at = from; at < source.length; at++) {
    if (source[at] === '\\') at++
    else if (source[at] === '"') return at
  }
  return -1
}
