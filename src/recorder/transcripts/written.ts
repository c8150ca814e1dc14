/** What a tool wrote to a file, as far as the transcript has it. */
export interface Written {
  /** As the agent names it. */
  path: string
  /** The content before, null if there was no file. Missing if the transcript does not have it. */
  before?: string | null
  /** The content after, null if the file is gone. Missing if the transcript does not have it. */
  after?: string | null
  /** The hunks of a unified diff from the content before. */
  hunks?: string
}

const header = /^@@ -(\d+)(?:,(\d+))? \+\d+(?:,\d+)? @@/

/**
 * The content after hunks, which must say of each line that they remove or leave what the content has in that place.
 * Undefined if they do not.
 */
export function applied(content: string, hunks: string): string | undefined {
  const lines = linesOf(content)
  const after: string[] = []
  let next = 0
  for (const line of withEnds(hunks)) {
    const [, from, count = '1'] = header.exec(line) ?? []
    if (from !== undefined) {
      // A hunk that removes nothing names the line before it.
      const start = count === '0' ? Number(from) : Number(from) - 1
      if (start < next || start > lines.length) return undefined
      after.push(...lines.slice(next, start))
      next = start
      continue
    }
    const [sign, text] = [line[0], line.slice(1)]
    if (sign !== ' ' && sign !== '-' && sign !== '+') return undefined
    if (sign !== '+' && lines[next++] !== text) return undefined
    if (sign !== '-') after.push(text)
  }
  // Only the last line of a content may lack a line feed.
  const all = [...after, ...lines.slice(next)]
  return all.slice(0, -1).every((line) => line.endsWith('\n')) ? all.join('') : undefined
}

/** The hunks that lead back. */
export const reversed = (hunks: string): string =>
  hunks.replace(/^(?:@@ -(\S+) \+(\S+) @@|[-+])/gm, (head, from?: string, to?: string) =>
    from === undefined ? (head === '-' ? '+' : '-') : `@@ -${to} +${from} @@`,
  )

/** The lines with their line feeds. */
const linesOf = (text: string): string[] => (text === '' ? [] : text.split(/(?<=\n)/))

/** The lines of hunks with their line feeds, which a line without one does not have. */
function withEnds(hunks: string): string[] {
  const found: string[] = []
  for (const line of linesOf(hunks.endsWith('\n') ? hunks : `${hunks}\n`)) {
    if (line.startsWith('\\')) found.push((found.pop() ?? '').slice(0, -1))
    else found.push(line)
  }
  return found
}
