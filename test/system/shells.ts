// How Windows reads a command line.

/** What cmd.exe makes of a line: the text that it passes on. Throws for a character that would end or divide the command. */
export function readByCmd(line: string): string {
  let read = ''
  let isQuoted = false
  for (let at = 0; at < line.length; at++) {
    const one = line[at] as string
    if (one === '^' && !isQuoted) {
      at += 1
      read += line[at] ?? ''
      continue
    }
    if (one === '"') isQuoted = !isQuoted
    else if (!isQuoted && /[&|<>()\r\n]/.test(one)) throw new Error(`${one} has a meaning in ${line}`)
    read += one
  }
  return read
}

/** The variables that cmd.exe would put in before it reads anything else. */
export const variablesIn = (line: string) => line.match(/%[^%^]+%/g) ?? []

/** The arguments in a command line, by the rules of Microsoft's C runtime. */
export function argumentsIn(line: string): string[] {
  const found: string[] = []
  let text: string | undefined
  let isQuoted = false
  for (const [piece] of line.matchAll(/\\*"|\\+|[^"\\]/g)) {
    if (piece === ' ' && !isQuoted) {
      if (text !== undefined) found.push(text)
      text = undefined
    } else if (!piece.endsWith('"')) text = (text ?? '') + piece
    else {
      const slashes = piece.length - 1
      const isMark = slashes % 2 === 0
      text = (text ?? '') + '\\'.repeat(slashes >> 1) + (isMark ? '' : '"')
      if (isMark) isQuoted = !isQuoted
    }
  }
  return text === undefined ? found : [...found, text]
}
