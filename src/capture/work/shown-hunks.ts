import { isUtf8 } from 'node:buffer'
import { mask } from '../../mask/mask.ts'
import type { FileChange } from '../../nouns/run/diff/fields.ts'
import type { Changed, Pair } from '../../place/git/diff.ts'

/** What a diff says of the text of a file. */
type ShownText = Pick<
  FileChange,
  'patch' | 'insertions' | 'deletions' | 'binary' | 'bytes' | 'cut' | 'masked' | 'withheld'
>

/** Contents by their ids. */
export type Contents = ReadonlyMap<string, Buffer>

interface HunkContext {
  contents: Contents
}

export const isText = (content: Buffer | undefined): boolean =>
  content !== undefined && isUtf8(content) && !content.includes(0)

/** A file and a link in place of each other are one that goes and one that comes. */
export function pairsOf({ before, after }: Changed): Pair[] {
  const [old, now] = [before?.id, after?.id]
  const isOtherType = before && after && before.mode.slice(0, 3) !== after.mode.slice(0, 3)
  return isOtherType
    ? [
        { before: old, after: undefined },
        { before: undefined, after: now },
      ]
    : [{ before: old, after: now }]
}

/** The hunks as they are recorded: cut to `most` bytes, without secrets. Undefined stands for those of a binary file. */
export async function shownOf(
  place: HunkContext,
  changed: Changed,
  hunks: string | undefined,
  { most, isWithheld }: { most: number; isWithheld: boolean },
): Promise<ShownText> {
  if (hunks === undefined) {
    const content = place.contents.get((changed.after ?? changed.before)?.id ?? '')
    return { binary: true, bytes: changed.after ? (content?.length ?? 0) : 0 }
  }
  const plain = withoutFunctions(hunks)
  const lines = linesOf(plain)
  if (isWithheld) return { ...lines, ...(plain !== '' && { withheld: true }) }
  const first = cutTo(plain, most)
  const safe = await withoutSecrets(place, changed, first.patch)
  // A mask may be longer than the secret.
  const { patch, cut } = cutTo(safe, most)
  const missing = [first.cut, cut].flatMap((one) => one ?? [])
  const sum = (which: 'lines' | 'bytes') => missing.reduce((total, one) => total + one[which], 0)
  return {
    ...lines,
    ...(patch !== '' && { patch }),
    ...(missing.length > 0 && { cut: { lines: sum('lines'), bytes: sum('bytes') } }),
    ...(safe !== first.patch && { masked: true }),
  }
}

/** The hunks with the secrets of both contents masked: a hunk itself may have only a part of one. */
async function withoutSecrets({ contents }: HunkContext, { before, after }: Changed, hunks: string): Promise<string> {
  const maskedIn = async (side: Side, id: string | undefined) => {
    const masked = new Map<number, string>()
    const content = id === undefined ? '' : (contents.get(id)?.toString('utf8') ?? '')
    for (const range of rangesAround(content, hunks, side)) {
      for (const [index, line] of (await maskedLines(range.lines)).entries()) masked.set(range.from + index, line)
    }
    return masked
  }
  const texts = { before: await maskedIn('before', before?.id), after: await maskedIn('after', after?.id) }
  return texts.before.size + texts.after.size > 0 ? withLines(hunks, texts) : hunks
}

/** The lines with their secrets masked; empty if they have none. */
async function maskedLines(lines: string[]): Promise<string[]> {
  const text = lines.join('\n')
  const masked = await mask(text)
  if (masked === text) return []
  const after = masked.split('\n')
  if (after.length === lines.length) return after
  // A secret of several lines has become one.
  const kept = new Set(after)
  return lines.map((line) => (kept.has(line) ? line : '[masked]'))
}

/** The hunks of unified diffs as text. A line of a diff ends in a line feed, and only headers begin with @@. */

const header = /(?<![^\n])@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@[^\n]*/g

/** The hunks without what git says of the function around each: it may be half a secret, or half a character. */
const withoutFunctions = (hunks: string): string =>
  hunks.replace(header, (line) => line.slice(0, line.indexOf(' @@') + 3))

/** How many lines were added and removed. */
function linesOf(hunks: string): { insertions: number; deletions: number } {
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

interface CutPatch {
  patch: string
  cut?: { lines: number; bytes: number }
}

/** The first whole lines of hunks that have at most so many bytes, and how much is cut. */
function cutTo(hunks: string, most: number): CutPatch {
  const bytes = Buffer.byteLength(hunks)
  if (bytes <= most) return { patch: hunks }
  const first = Buffer.from(hunks).subarray(0, Math.max(0, most))
  const patch = first.toString('utf8', 0, first.lastIndexOf('\n') + 1)
  const rest = hunks.slice(patch.length)
  return { patch, cut: { lines: rest.split('\n').length - 1, bytes: bytes - Buffer.byteLength(patch) } }
}

/** How many lines around a hunk may decide whether a line in it is a secret: as many as the longest private key has. */
const reach = 120

type Side = 'before' | 'after'

/** Lines of a content, from the one with that number on; the first has number 1. */
interface Range {
  from: number
  lines: string[]
}

/** The lines of a content that hunks show, with those around them. Where these meet, they are one range. */
function rangesAround(content: string, hunks: string, side: Side): Range[] {
  const lines = content.split('\n')
  const spans: { start: number; end: number }[] = []
  for (const [, from, count = '1', to, toCount = '1'] of hunks.matchAll(header)) {
    const [first, many] = side === 'before' ? [Number(from), Number(count)] : [Number(to), Number(toCount)]
    const [start, end] = [Math.max(0, first - 1 - reach), Math.max(0, first - 1 + many + reach)]
    const last = spans.at(-1)
    if (last && start <= last.end) last.end = Math.max(last.end, end)
    else spans.push({ start, end })
  }
  return spans.map(({ start, end }) => ({ from: start + 1, lines: lines.slice(start, end) }))
}

/** The hunks with other texts for lines before and after the change, by their numbers. */
function withLines(hunks: string, texts: Record<Side, ReadonlyMap<number, string>>): string {
  const at = { before: 0, after: 0 }
  const shown = hunks.split('\n').map((line) => {
    const [, from, to] = /^@@ -(\d+)(?:,\d+)? \+(\d+)/.exec(line) ?? []
    if (from !== undefined) {
      Object.assign(at, { before: Number(from), after: Number(to) })
      return line
    }
    const mark = line.slice(0, 1)
    const side = mark === '+' ? 'after' : 'before'
    // What is no line of a content says that the last one does not end.
    if (mark !== ' ' && mark !== '-' && mark !== '+') return line
    const text = texts[side].get(at[side])
    if (mark !== '+') at.before++
    if (mark !== '-') at.after++
    return text === undefined ? line : mark + text
  })
  return shown.join('\n')
}
