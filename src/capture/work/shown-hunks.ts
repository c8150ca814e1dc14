import { isUtf8 } from 'node:buffer'
import { mask } from '../../mask/mask.ts'
import type { FileChange } from '../../nouns/run/diff/fields.ts'
import type { Changed, Pair } from '../../place/git/diff.ts'
import { cutTo, linesOf, rangesAround, type Side, withLines, withoutFunctions } from './hunks.ts'

/** What a diff says of the text of a file. */
export type Shown = Pick<
  FileChange,
  'patch' | 'insertions' | 'deletions' | 'binary' | 'bytes' | 'cut' | 'masked' | 'withheld'
>

/** Contents by their ids. */
export type Contents = ReadonlyMap<string, Buffer>

interface Place {
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
  place: Place,
  changed: Changed,
  hunks: string | undefined,
  { most, isWithheld }: { most: number; isWithheld: boolean },
): Promise<Shown> {
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
async function withoutSecrets({ contents }: Place, { before, after }: Changed, hunks: string): Promise<string> {
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
