/** The hunks of unified diffs as text. A line of a diff ends in a line feed, and only headers begin with @@. */

const header = /(?<![^\n])@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@[^\n]*/g

/** The hunks without what git says of the function around each: it may be half a secret, or half a character. */
export const withoutFunctions = (hunks: string): string =>
  hunks.replace(header, (line) => line.slice(0, line.indexOf(' @@') + 3))

/** How many lines were added and removed. */
export function linesOf(hunks: string): { insertions: number; deletions: number } {
  const lines = { insertions: 0, deletions: 0 }
  for (let at = 0; at < hunks.length; at = nextLine(hunks, at)) {
    if (hunks[at] === '+') lines.insertions++
    else if (hunks[at] === '-') lines.deletions++
  }
  return lines
}

/** Where the next line begins. */
function nextLine(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  return end < 0 ? text.length : end + 1
}

export interface Cut {
  patch: string
  cut?: { lines: number; bytes: number }
}

/** The first whole lines of hunks that have at most so many bytes, and how much is cut. */
export function cutTo(hunks: string, most: number): Cut {
  const bytes = Buffer.byteLength(hunks)
  if (bytes <= most) return { patch: hunks }
  const first = Buffer.from(hunks).subarray(0, Math.max(0, most))
  const patch = first.toString('utf8', 0, first.lastIndexOf('\n') + 1)
  const rest = hunks.slice(patch.length)
  return { patch, cut: { lines: rest.split('\n').length - 1, bytes: bytes - Buffer.byteLength(patch) } }
}

/** How many lines around a hunk may decide whether a line in it is a secret: as many as the longest private key has. */
const reach = 120

/** The lines of a content that hunks show, with those around them. */
export function linesAround(content: string, hunks: string, side: 'before' | 'after'): string {
  const lines = content.split('\n')
  const parts: string[] = []
  let end = 0
  for (const [, from, count = '1', to, toCount = '1'] of hunks.matchAll(header)) {
    const [first, many] = side === 'before' ? [Number(from), Number(count)] : [Number(to), Number(toCount)]
    const start = Math.max(end, first - 1 - reach)
    end = Math.max(start, first - 1 + many + reach)
    parts.push(lines.slice(start, end).join('\n'))
  }
  return parts.join('\n')
}
