import { blended, type File } from '../../place/git/blend.ts'
import { contentsOf, type Sides, sidesBetween, sizesOf, stashedBy } from '../../place/git/diff.ts'
import { openedAt } from '../../place/git/history.ts'
import type { Snapshot } from '../../recorder/work.ts'

/** What git carries from one commit to another, or from a stash, and how it leaves the files. */

/** What is not committed. */
export const openIn = (at: Snapshot): ReadonlyMap<string, Sides> =>
  at.commitTree === undefined ? unchanged : sidesBetween(openedAt(at), at.commitTree, at.tree)

/** Those files that are as git alone carries these changes to the commit at HEAD. */
export function carriedAmong(written: string[], now: Snapshot, changes: ReadonlyMap<string, Sides>): Set<string> {
  const changed = written.flatMap((path) => ({ path, change: changes.get(path) }))
  if (!changed.some(({ change }) => change)) return none
  const isCarried = carriedBy(now)
  return new Set(changed.flatMap(({ path, change }) => (change && isCarried(path, change) ? [path] : [])))
}

/** Returns whether a file is as git alone carries a change to the commit at HEAD. */
function carriedBy(now: Snapshot): (path: string, change: Sides) => boolean {
  const [at, open] = [openedAt(now), openIn(now)]
  return (path, { before, after }) => {
    const file = open.get(path)
    return file !== undefined && blended(at, file.before, { from: before, to: after, favor: 'theirs' }) === file.after
  }
}

/** Those of the files that still have the marks of a conflict. */
export function conflictsAmong(now: Snapshot, files: File[]): Set<File> {
  const at = openedAt(now)
  const idOf = (file: File) => file?.slice(file.indexOf(' ') + 1) ?? ''
  const sizes = sizesOf(at, [...new Set(files.map(idOf))].filter(Boolean))
  const contents = contentsOf(at, new Map([...sizes].filter(([, size]) => size <= mostBytes)))
  return new Set(files.filter((file) => marks.test(contents.get(idOf(file))?.toString('latin1') ?? '')))
}

/** A larger file is not read. */
const mostBytes = 8_388_608
const marks = /^<{7} [\s\S]*^>{7} /m

/** Those files that a stash put away or brought back, unless they were written, too. */
export function stashedAmong(written: string[], before: Snapshot, now: Snapshot): Set<string> {
  const [were, are] = [before, now].map(({ stashes = [] }) => stashes) as [string[], string[]]
  if (written.length === 0 || were.length + are.length === 0) return none
  const at = openedAt(now)
  const open = openIn(now)
  const first = are.findIndex((stash) => were.includes(stash))
  const made = first < 0 ? are : are.slice(0, first)
  const away = stashedBy(at, made).map(({ sides }) => written.filter((path) => sides.has(path) && !open.has(path)))
  const known = stashedBy(at, were)
  const changed = sidesBetween(at, before.tree, now.tree)
  const touched = [...changed].filter(([path]) => known.some(({ sides }) => sides.has(path)))
  const marked = conflictsAmong(
    now,
    touched.map(([, { after }]) => after),
  )
  const isCarried = carriedBy(now)
  const isWritten = new Set(written)
  const isBack = ([path, stashed]: [string, Sides]) => {
    const after = changed.get(path)?.after
    return changed.has(path) && (after === stashed.after || marked.has(after) || isCarried(path, stashed))
  }
  const back = known.map(({ stash, sides }) => {
    // An old one that stays may have been applied, but then all of it has come.
    const isOld = stash !== were[0] && are.includes(stash)
    if (isOld) return [...sides].every(isBack) ? [...sides.keys()] : []
    return [...sides].filter((one) => isWritten.has(one[0]) && isBack(one)).map(([path]) => path)
  })
  return new Set([...away, ...back].flat())
}

export const none: Set<string> = new Set()
export const unchanged: ReadonlyMap<string, Sides> = new Map()
