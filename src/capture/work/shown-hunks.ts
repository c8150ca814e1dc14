import { isUtf8 } from 'node:buffer'
import { mask } from '../../mask/mask.ts'
import type { FileChange } from '../../nouns/run/diff-fields.ts'
import { type Changed, hunksBetween, type Pair, storeContent } from '../../place/git/diff.ts'
import type { Guarded } from '../../place/git/guarded.ts'
import { cutTo, linesAround, linesOf, withoutFunctions } from './hunks.ts'

/** What a diff says of the text of a file. */
export type Shown = Pick<
  FileChange,
  'patch' | 'insertions' | 'deletions' | 'binary' | 'bytes' | 'cut' | 'masked' | 'withheld'
>

/** Contents by their ids. */
export type Contents = ReadonlyMap<string, Buffer>

interface Place {
  at: Guarded
  contents: Contents
}

/** A file with more bytes is not masked as a whole. */
const mostMasked = 1_048_576

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
  const { patch, cut } = cutTo(plain, most)
  const isSecret = await hasSecret(place, changed, patch)
  const safe = isSecret
    ? await maskedHunks(place, changed, { most, lines: lines.insertions + lines.deletions })
    : { patch, cut }
  return {
    ...lines,
    ...(safe.patch !== '' && { patch: safe.patch }),
    ...(safe.cut && { cut: safe.cut }),
    ...(isSecret && safe.patch !== patch && { masked: true }),
  }
}

/** Whether there is a secret in the lines that hunks show, or around them. The hunks themselves tear it apart. */
async function hasSecret({ contents }: Place, { before, after }: Changed, hunks: string): Promise<boolean> {
  for (const [side, id] of [['before', before?.id] as const, ['after', after?.id] as const]) {
    const content = id === undefined ? '' : (contents.get(id)?.toString('utf8') ?? '')
    const lines = linesAround(content, hunks, side)
    if ((await mask(lines)) !== lines) return true
  }
  return false
}

/** The hunks between the masked contents; none if these are long. */
async function maskedHunks(
  { at, contents }: Place,
  changed: Changed,
  { most, lines }: { most: number; lines: number },
) {
  const pairs = pairsOf(changed)
  const bytes = pairs.flatMap(({ before, after }) => [before, after]).reduce((sum, id) => sum + sizeIn(contents, id), 0)
  if (bytes > mostMasked) return { patch: '', cut: { lines, bytes } }
  const maskedId = async (id: string | undefined) =>
    id === undefined ? undefined : storeContent(at, await mask(contents.get(id)?.toString('utf8') ?? ''))
  const masked: Pair[] = []
  for (const { before, after } of pairs) masked.push({ before: await maskedId(before), after: await maskedId(after) })
  return cutTo(withoutFunctions(hunksBetween(at, masked).join('')), most)
}

const sizeIn = (contents: Contents, id: string | undefined) => (id === undefined ? 0 : (contents.get(id)?.length ?? 0))
