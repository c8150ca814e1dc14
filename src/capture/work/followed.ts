import { addedTo, blended, carriedIn, type File } from '../../place/git/blend.ts'
import { type Brought, broughtBetween } from '../../place/git/brought.ts'
import { type Sides, sidesBetween } from '../../place/git/diff.ts'
import type { Guarded } from '../../place/git/guarded.ts'
import { askOf, authoredAmong, gone, type IsOwn, openedAt, treeWithFiles } from '../../place/git/history.ts'
import type { Snapshot } from '../../recorder/work.ts'

/** Trees without the work of a session, or of a turn, with which to compare it. */
interface Followed {
  /** The tree before the run, with all that git has brought since. */
  origin: string
  /** The same for that before the turn. */
  before: string
}

interface FollowedSession {
  /** Its commits, and those of the turn alone, oldest first. */
  commits: string[]
  recent: string[]
  isOwn: IsOwn
}

/** How many of a session's commits to look at. */
const mostCommits = 100

/**
 * Brings what a pull, a merge or a checkout brought into the working tree into trees without the work of a session, too:
 * compared with them, only the lines of the session differ. The snapshots are in the order of time. Throws if git fails.
 */
export function followed(trees: Followed, snapshots: Snapshot[], session: FollowedSession): Followed {
  let found = trees
  let own: OwnChanges | undefined
  let recent: OwnChanges | undefined
  // As in the first turn.
  const areSame = trees.before === trees.origin
  for (const [index, now] of snapshots.entries()) {
    const before = snapshots[index - 1]
    if (!before || before.tree === now.tree) continue
    const all = broughtBetween(before, now, session.isOwn)
    if (all.length === 0) continue
    own ??= ownChanges(now, session)
    const at = openedAt(now)
    const moved = sidesBetween(at, before.tree, now.tree)
    for (const brought of all) {
      const move = { before: before.tree, moved }
      const shifts = shiftsOf(at, brought, move, own)
      const origin = shifted(at, found.origin, brought, shifts)
      if (areSame) {
        found = { origin, before: origin }
        continue
      }
      // The tree before the turn has the commits of earlier turns, which a checkout takes away and brings back.
      const isCheckout = !brought.isReset && !brought.isMerged
      recent ??= ownChanges(now, { ...session, commits: session.recent })
      const later = isCheckout ? shiftsOf(at, brought, move, recent) : shifts
      found = { origin, before: shifted(at, found.before, brought, later) }
    }
  }
  return found
}

/** How git changed a file, and the same without what the session's commits changed in it. */
interface Shift {
  from: File
  to: File
  all: Sides
}

/** How the working tree moved from a tree. */
interface Move {
  before: string
  moved: Map<string, Sides>
}

/** What git brought into files that the working tree shows to have changed. */
function shiftsOf(at: Guarded, brought: Brought, { before, moved }: Move, own: OwnChanges): Map<string, Shift> {
  const shifts = new Map<string, Shift>()
  const [withoutFrom, withoutTo] = [own.without(at, brought.from), own.without(at, brought.to)]
  const changes = sidesBetween(at, brought.from, brought.to)
  const carried = carriedIn(at, before, changes, moved)
  for (const [path, all] of changes) {
    const seen = moved.get(path)
    if (seen ? !hasMoved(at, brought, all, seen) : !carried.has(path)) continue
    const shift = { from: withoutFrom(path, all.before), to: withoutTo(path, all.after), all }
    if (shift.from !== shift.to) shifts.set(path, shift)
  }
  return shifts
}

/** Whether a file that has changed may have changed like this. */
function hasMoved(at: Guarded, { isReset, isAborted }: Brought, { before, after }: Sides, seen: Sides): boolean {
  if (isAborted) return blended(at, seen.after, { from: after, to: before, favor: 'theirs' }) !== seen.after
  return !isReset || seen.after === after
}

/** A tree with these shifts. */
function shifted(at: Guarded, tree: string, { from }: Brought, shifts: Map<string, Shift>): string {
  if (shifts.size === 0) return tree
  const differing = sidesBetween(at, from, tree)
  const files = new Map<string, string>()
  for (const [path, shift] of shifts) {
    const sides = differing.get(path)
    const file = sides ? sides.after : shift.all.before
    const next = shiftedFile(at, file, shift)
    if (next !== file) files.set(path, next ?? gone({ tree }))
  }
  return treeWithFiles({ ...at, tree }, files)
}

function shiftedFile(at: Guarded, file: File, { from, to, all }: Shift): File {
  const hasOwn = from !== all.before && to !== all.after
  return hasOwn && file === all.before ? all.after : blended(at, file, { from, to, favor: 'theirs' })
}

interface OwnChanges {
  /** Takes out of files of a commit what the session's commits in it changed. */
  without(at: Guarded, commit: string): (path: string, file: File) => File
}

function ownChanges(place: Snapshot, { commits: all, isOwn }: FollowedSession): OwnChanges {
  // What others are the authors of, the session has only picked.
  const commits = authoredAmong(place, all.slice(-mostCommits), isOwn)
  const known = new Map<string, Map<string, Sides>>()
  const changesOf = (at: Guarded, commit: string) => {
    const changes = known.get(commit) ?? changesIn(at, commit)
    known.set(commit, changes)
    return changes
  }
  return {
    without(at, commit) {
      const listed = commits.length === 0 ? '' : askOf(place, 'rev-list', `--max-count=${mostListed}`, commit)
      const inIt = new Set(listed?.split('\n'))
      return (path, file) =>
        commits.reduceRight<File>((left, own) => {
          const change = changesOf(at, own).get(path)
          // A commit that others made may have the same content, as after a pull request that was squashed.
          const isIn = change && (inIt.has(own) || (left !== undefined && left === change.after))
          return isIn ? undone(at, left, change) : left
        }, file)
    },
  }
}

const undone = (at: Guarded, file: File, { before, after }: Sides): File =>
  before === undefined ? addedTo(at, file, after) : blended(at, file, { from: after, to: before })

/** What a commit changed; nothing if it is gone. */
function changesIn(at: Guarded, commit: string): Map<string, Sides> {
  try {
    return sidesBetween(at, commit)
  } catch {
    return new Map()
  }
}

/** How far back to look for the session's commits. */
const mostListed = 10_000
