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
  /** The text that it replaced. Such hunks do not say whether the last line has a line feed. */
  edit?: TextReplacement
}

/** A text and the one that took its place, where it came first or everywhere. */
export interface TextReplacement {
  old: string
  now: string
  isForAll: boolean
}

/** An edit by the fields of a document; undefined if they do not describe one. */
export const editOf = (old: unknown, now: unknown, isForAll?: unknown): TextReplacement | undefined =>
  typeof old === 'string' && typeof now === 'string' ? { old, now, isForAll: isForAll === true } : undefined

/** The content after an edit; undefined if it does not contain the old text. */
export function edited(content: string, { old, now, isForAll }: TextReplacement): string | undefined {
  if (old === '' || !content.includes(old)) return undefined
  return isForAll ? content.replaceAll(old, () => now) : content.replace(old, () => now)
}

/** The content after a tool wrote; undefined if its hunks are not from that content. */
export function contentAfter({ hunks = '', edit }: Written, before: string): string | undefined {
  if (!edit) return applied(before, hunks)
  const after = appliedToLines(before, hunks)
  return after === edited(before, edit) ? after : undefined
}

/** The content before a tool wrote; undefined if its hunks do not lead to that content. */
export function contentBefore(written: Written, after: string): string | undefined {
  const { hunks = '', edit } = written
  // There may have been one more at the end.
  if (edit?.isForAll && edit.old === `${edit.now}\n`) return undefined
  const before = (edit ? appliedToLines : applied)(after, reversed(hunks))
  return before !== undefined && contentAfter(written, before) === after ? before : undefined
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

/** The same where line feeds are between lines: after the last one is a line, which may be empty. */
const appliedToLines = (content: string, hunks: string): string | undefined =>
  applied(`${content}\n`, hunks)?.slice(0, -1)

/** The hunks that lead back. */
const reversed = (hunks: string): string =>
  // A line of a diff ends in a line feed alone.
  hunks.replace(/(?<![^\n])(?:@@ -(\S+) \+(\S+) @@|[-+])/g, (head, from?: string, to?: string) =>
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
