import { isDeepStrictEqual } from 'node:util'
import { maskDeep } from '../../mask/mask.ts'
import { type DiffInput, type FileChange, mostDiff } from '../../nouns/run/diff/fields.ts'
import {
  type Changed,
  changedFiles,
  contentsOf,
  hunksBetween,
  linesBetween,
  openObjects,
  sizesOf,
} from '../../place/git/diff.ts'
import type { Guarded } from '../../place/git/guarded.ts'
import type { OwedDiff, TurnTrees } from '../../recorder/memo.ts'
import { type Contents, isText, pairsOf, shownOf } from './shown-hunks.ts'

/** How long git may take for the diffs of a turn, in milliseconds. */
const longestMs = 120_000
/** A larger content is not compared, and so many bytes are read at once. */
const most = { content: 8_388_608, atOnce: 33_554_432 }
/** Less than a turn may have, because a mask can be longer than a secret. */
export const mostTurnBytes = mostDiff.turnBytes - 65_536

/** The diffs of a turn, their secrets masked. Throws an Error if git cannot make them, for example because a tree is gone. */
export async function turnDiffs({
  isWithheld,
  ...trees
}: TurnTrees & Pick<OwedDiff, 'isWithheld'>): Promise<DiffInput[]> {
  const at = openObjects(trees.root, trees.objects, longestMs)
  const files = turnFiles(at, trees).slice(0, mostDiff.files)
  const changesIn = (which: 'change' | 'whole', shared: string[]) =>
    changesOf(
      at,
      files.flatMap((file) => file[which] ?? []),
      { shared: new Set(shared), isWithheld },
    )
  const own = await changesIn('change', trees.shared)
  const whole = await changesIn('whole', trees.sharedSince)
  const diffs = files.map(
    (file): DiffInput => ({
      path: file.path,
      ...(file.change && { change: own.get(file.change) }),
      ...(file.whole !== undefined && { whole: file.whole && whole.get(file.whole) }),
    }),
  )
  return withMaskedNames(diffs)
}

interface Manner {
  /** The files that another session wrote, too. */
  shared: ReadonlySet<string>
  isWithheld: boolean
}

/** The changes with their texts: the smallest files first, so that a large one does not leave others without. */
async function changesOf(at: Guarded, changed: Changed[], manner: Manner): Promise<Map<Changed, FileChange>> {
  const sizes = sizesOf(at, [...new Set(changed.flatMap(idsOf))])
  const sizeOf = (one: Changed) => idsOf(one).reduce((sum, id) => sum + (sizes.get(id) ?? 0), 0)
  const isReadable = (one: Changed) =>
    idsOf(one).every((id) => (sizes.get(id) ?? Number.POSITIVE_INFINITY) <= most.content)
  const [small = [], large = []] = [true, false].map((is) => changed.filter((one) => isReadable(one) === is))
  const found = new Map<Changed, FileChange>()
  let left = mostTurnBytes
  for (const some of portions(
    small.toSorted((a, b) => sizeOf(a) - sizeOf(b)),
    sizeOf,
  )) {
    const contents = contentsOf(at, new Map(some.flatMap(idsOf).map((id) => [id, sizes.get(id) ?? 0])))
    for (const [one, hunks] of hunksOf(at, some, contents)) {
      const shown = await shownOf({ contents }, one, hunks, { most: Math.min(left, mostDiff.fileBytes), ...manner })
      left -= Buffer.byteLength(shown.patch ?? '')
      found.set(one, { ...factsOf(one, manner), ...shown })
    }
  }
  const lines = linesBetween(
    at,
    large.map((one) => ({ before: one.before?.id, after: one.after?.id })),
  )
  for (const [index, one] of large.entries()) {
    const { insertions, deletions } = lines[index] ?? {}
    const cut = { lines: (insertions ?? 0) + (deletions ?? 0), bytes: sizeOf(one) }
    found.set(one, { ...factsOf(one, manner), ...lines[index], ...(manner.isWithheld ? { withheld: true } : { cut }) })
  }
  return found
}

/** The hunks of texts; undefined for a file that is not text. */
function hunksOf(at: Guarded, changed: Changed[], contents: Contents): Map<Changed, string | undefined> {
  const texts = changed.filter((one) => idsOf(one).every((id) => isText(contents.get(id))))
  const pairs = texts.map(pairsOf)
  const hunks = hunksBetween(at, pairs.flat())
  const found = new Map<Changed, string | undefined>(changed.map((one) => [one, undefined]))
  for (const [index, one] of texts.entries()) found.set(one, hunks.splice(0, pairs[index]?.length).join(''))
  return found
}

const idsOf = ({ before, after }: Changed) => [before, after].flatMap((side) => side?.id ?? [])

/** Splits the changes, so that the contents of each portion fit into memory. */
function portions(changed: Changed[], sizeOf: (one: Changed) => number): Changed[][] {
  const all: Changed[][] = []
  let room = 0
  for (const one of changed) {
    room -= sizeOf(one)
    if (room < 0 || all.length === 0) {
      all.push([])
      room = most.atOnce - sizeOf(one)
    }
    all.at(-1)?.push(one)
  }
  return all
}

function factsOf({ path, from, before, after }: Changed, { shared }: Manner): FileChange {
  const isModeNew = before?.mode !== after?.mode
  return {
    status: from !== undefined ? 'renamed' : !before ? 'added' : !after ? 'deleted' : 'modified',
    ...(from !== undefined && { from }),
    ...(after && isModeNew && { mode: after.mode }),
    ...(before && isModeNew && { oldMode: before.mode }),
    ...(before && { before: before.id }),
    ...(after && { after: after.id }),
    ...(shared.has(path) && { shared: true }),
  }
}

/** A path may have a secret in it. It is masked as in the list of files of the turn. */
export async function withMaskedNames(diffs: DiffInput[]): Promise<DiffInput[]> {
  const names = [
    ...new Set(diffs.flatMap(({ path, change, whole }) => [path, change?.from ?? path, whole?.from ?? path])),
  ]
  const masked = new Map((await maskDeep(names)).map((name, index) => [names[index] ?? name, name]))
  const nameOf = (name: string) => masked.get(name) ?? name
  const named = (one: FileChange): FileChange => ({ ...one, ...(one.from !== undefined && { from: nameOf(one.from) }) })
  const all = diffs.map(({ path, change, whole }) => ({
    path: nameOf(path),
    ...(change && { change: named(change) }),
    ...(whole !== undefined && { whole: whole && named(whole) }),
  }))
  return [...new Map(all.map((diff) => [diff.path, diff])).values()]
}

/** A file of which a turn has a diff. */
interface TurnFile {
  path: string
  /** What the turn changed. */
  change?: Changed
  /** What the run has changed by then, if that is something else; null: nothing. */
  whole?: Changed | null
}

/**
 * The files that the session wrote in a turn, and those of which its run has now changed something else than before: a
 * file that it moved, or that somebody restored. What others add to a file that the run has changed is not its work.
 */
function turnFiles(at: Guarded, { base, before, after, written, putBack, restored, own }: TurnTrees): TurnFile[] {
  const changed = changedFiles(at, before, after)
  const turn = amongThese(changed, written)
  // A file of an earlier turn may come back in one that did not write it, as from a stash.
  const whole = amongThese(base === before ? changed : changedFiles(at, base, after), own)
  const earlier = base === before ? new Map<string, Changed>() : amongThese(changedFiles(at, base, before), own)
  const [byTurn, isRestored] = [new Set([...written, ...putBack]), new Set(restored)]
  const isMoved = (path: string) => {
    const [one, other] = [earlier.get(path), whole.get(path)]
    if (!one || !other) return one !== other || isRestored.has(path)
    return !isDeepStrictEqual(one, other) && (byTurn.has(path) || isDeepStrictEqual(one.after, other.after))
  }
  const others = own.filter((path) => !turn.has(path) && isMoved(path))
  return [...[...turn.keys()].sort(), ...others.sort()].map((path) => {
    const [change, all] = [turn.get(path), whole.get(path)]
    if (!change) return { path, whole: all ?? null }
    return { path, change, ...(!isDeepStrictEqual(change, all) && { whole: all ?? null }) }
  })
}

/** The changes of these files. Of a renamed file with one of its two paths among them, only that one is new, or gone. */
function amongThese(changed: Changed[], paths: readonly string[]): Map<string, Changed> {
  const isOne = new Set(paths)
  const found = new Map<string, Changed>()
  for (const { from, ...one } of changed) {
    const { path, before, after } = one
    if (from === undefined ? isOne.has(path) : isOne.has(path) && isOne.has(from)) {
      found.set(path, { ...one, ...(from !== undefined && { from }) })
    } else if (from !== undefined && isOne.has(path) && after) found.set(path, { path, after })
    else if (from !== undefined && isOne.has(from) && before) found.set(from, { path: from, before })
  }
  return found
}
