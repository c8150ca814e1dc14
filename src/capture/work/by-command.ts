import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { blended, carriedIn, type File } from '../../place/git/blend.ts'
import { type Brought, broughtBetween } from '../../place/git/brought.ts'
import { type Sides, sidesBetween } from '../../place/git/diff.ts'
import { bytesIn, gitIn } from '../../place/git/guarded.ts'
import { askOf, commitsMade, diffTrees, type IsOwn, openedAt } from '../../place/git/history.ts'
import type { Memo } from '../../recorder/memo.ts'
import type { UnendedCommand, Window } from '../../recorder/trees.ts'
import type { Snapshot } from '../../recorder/work.ts'
import type { Spool } from '../spool/state.ts'
import { carriedAmong, conflictsAmong, none, openIn, stashedAmong, unchanged } from './carried.ts'
import { writtenByOthers } from './placed.ts'

/** A session, as far as its work in git goes. */
export interface SessionGit {
  state: Spool
  /** The name of its recording. */
  name: string
  memo: Memo
  isOwn: IsOwn
}

/**
 * The files that a command changed; empty if another session ran a command at the same time, because nobody can tell
 * whose they are.
 */
export function changedBy(command: Window, session: SessionGit): string[] {
  const { before, now } = aloneIn(command, session)
  if (!before || !now) return []
  const { isOwn, memo } = session
  const made =
    before.log === undefined || now.log === undefined
      ? []
      : commitsMade(now, before.log, now.log, isOwn, memo.startedAt)
  return withoutOthers(writtenBetween(before, now, { made, isOwn }), command, session)
}

/** The files that a command left in another state, also those that git brought or put away, as by a reset. */
export function touchedBy(command: Window, session: SessionGit): Map<string, Sides> {
  const { before, now } = aloneIn(command, session)
  const sides = before && now && attempt(() => sidesBetween(openedAt(now), before.tree, now.tree), undefined)
  const own = new Set(withoutOthers([...(sides?.keys() ?? [])], command, session))
  return new Map([...(sides ?? [])].filter(([path]) => own.has(path)))
}

/** The states around a command; empty if it changed nothing, or another session ran a command at the same time. */
function aloneIn({ from, to, before, now }: Window, { state, name }: SessionGit): Pick<Window, 'before' | 'now'> {
  if (!before || !now || before.root !== now.root) return {}
  if (before.tree === now.tree && before.log === now.log) return {}
  return state.rivals(name, now.root, from, to).length > 0 ? {} : { before, now }
}

function withoutOthers(paths: string[], { from, to, now }: Window, session: SessionGit): string[] {
  const others = writtenByOthers(now?.root ?? '', session, from, to)
  return paths.filter((path) => !others.has(path))
}

/** The commits that commands made, if no other session ran a command in the same working tree meanwhile. */
export function commitsBy(commands: Window[], { state, name, isOwn, memo }: SessionGit): string[] {
  return commands.flatMap(({ from, to, before, now }) => {
    if (before?.log === undefined || now?.log === undefined || before.root !== now.root) return []
    if (before.log === now.log) return []
    return state.rivals(name, now.root, from, to).length > 0
      ? []
      : commitsMade(now, before.log, now.log, isOwn, memo.startedAt)
  })
}

/** How long after a command a file system may still say that it wrote, in milliseconds. */
const lateMs = 1_000

/**
 * The files that a command wrote whose end no hook reported, because its user interrupted it. What changed later, by its
 * user, is not its work, so a file counts if it was written last until then.
 */
export function writtenByCut(
  { began, before, ended }: UnendedCommand,
  session: SessionGit & { now: Snapshot | undefined },
): string[] {
  const { now } = session
  if (!now || ended === undefined) return []
  return changedBy({ from: began, to: ended, before, now }, session).filter((path) => {
    const file = attempt(() => lstatSync(join(now.root, path)), undefined)
    // A file that was moved here keeps the time of its content.
    return file !== undefined && Math.max(file.mtimeMs, file.ctimeMs) <= ended + lateMs
  })
}

export interface Made {
  /** The commits that the command made, oldest first. */
  made: string[]
  isOwn: IsOwn
}

/** The files that a command wrote, without those that git brought from elsewhere: by a checkout, a merge or a stash. */
export function writtenBetween(before: Snapshot, now: Snapshot, { made, isOwn }: Made): string[] {
  const brought = broughtBetween(before, now, isOwn)
  // A commit that ends a merge has only what the command changed, because the files were there before.
  const isEnd = before.bringing !== undefined && brought.length === 0
  const isStep = before.rebasing !== now.rebasing || before.applying !== now.applying
  const isMoved = before.git.commit !== now.git.commit || made.length > 0 || isStep
  const written = isMoved && !isEnd ? writtenWithMove(before, now, made) : changedPaths(before, now)
  const merges = brought.filter(({ isMerged }) => isMerged)
  const merged = attempt(() => mergedBetween(before, now, merges), none)
  const left = written.filter((path) => !merged.has(path))
  const stashed = attempt(() => stashedAmong(left, before, now), none)
  const carried = isMoved ? attempt(() => carriedAmong(left, now, openIn(before)), none) : none
  const stopped = attempt(() => stoppedAmong(left, before, { now, made }), none)
  return left.filter((path) => !stashed.has(path) && !carried.has(path) && !stopped.has(path))
}

/**
 * Those files that are as a rebase or `git am` left them when it stopped: merged by git, or with its conflicts. What the
 * command committed before, it wrote.
 */
function stoppedAmong(written: string[], before: Snapshot, { now, made }: { now: Snapshot; made: string[] }) {
  const { rebasing, applying } = now
  const isRebased = rebasing !== undefined && rebasing !== before.rebasing
  const isApplied = applying !== undefined && applying !== before.applying
  if (!isRebased && !isApplied) return none
  const committed = new Set(made.flatMap((commit) => committedIn(now, commit)))
  const left = written.filter((path) => !committed.has(path))
  return new Set([
    ...(isRebased ? rebasedAmong(left, now, rebasing) : []),
    ...(isApplied ? patchedAmong(left, now, applying) : []),
  ])
}

function rebasedAmong(written: string[], now: Snapshot, rebasing: string): string[] {
  const changes = sidesBetween(openedAt(now), rebasing)
  const open = openIn(now)
  const fileOf = (path: string) => open.get(path)?.after
  const picked = written.filter((path) => changes.has(path))
  const marked = conflictsAmong(now, picked.map(fileOf))
  return [...picked.filter((path) => marked.has(fileOf(path))), ...carriedAmong(written, now, changes)]
}

/** Those files that are in a patch. What git makes of them is not in a commit yet. */
function patchedAmong(written: string[], now: Snapshot, patch: string): string[] {
  const at = openedAt(now)
  const listed = gitIn(at, ['apply', '--numstat', '-z'], { input: bytesIn(at, ['cat-file', 'blob', patch]) })
  const patched = new Set(namesIn(listed).map((line) => line.split('\t').at(-1)))
  return written.filter((path) => patched.has(path))
}

/**
 * If a command moved to another commit, as a checkout or a pull does, the files that came with it are nobody's work
 * here. What counts is what it changed and left uncommitted, and what it changed and committed itself, even if it then
 * went on to another commit.
 */
function writtenWithMove(before: Snapshot, now: Snapshot, made: string[]): string[] {
  const changed = changedPaths(before, now)
  const open = attempt(() => openIn(now), unchanged)
  const last = made.at(-1)
  const isLeft = last !== undefined && last !== now.git.commit
  const until = isLeft ? changedPaths(before, { ...now, tree: last }) : changed
  const committed = new Set(until.length > 0 ? made.flatMap((commit) => committedIn(now, commit)) : [])
  return [...changed.filter((path) => open.has(path)), ...until.filter((path) => committed.has(path))]
}

/** The files that a commit changed; of a merge, those that are as in none of its parents. */
export const committedIn = (now: Snapshot, commit: string) =>
  namesIn(
    askOf(now, 'diff-tree', '-r', '-c', '--root', '--no-commit-id', '--no-renames', '--name-only', '-z', commit) ?? '',
  )

/** The files that are as a merge or a cherry-pick alone left them: merged by git, or with its conflicts. */
function mergedBetween(before: Snapshot, now: Snapshot, brought: Brought[]): Set<string> {
  if (brought.length === 0) return none
  const at = openedAt(now)
  const changed = sidesBetween(at, before.tree, now.tree)
  const merged = new Map<string, File>()
  for (const { from, to } of brought) {
    const changes = sidesBetween(at, from, to)
    const carried = carriedIn(at, before.tree, changes, changed)
    for (const [was, sides] of changes) {
      const path = changed.has(was) ? was : carried.get(was)
      if (path === undefined) continue
      const file = merged.has(path) ? merged.get(path) : changed.get(path)?.before
      merged.set(path, blended(at, file, { from: sides.before, to: sides.after, favor: 'theirs' }))
    }
  }
  const isStopped = now.bringing !== undefined
  const fileOf = (path: string) => changed.get(path)?.after
  const marked = isStopped ? conflictsAmong(now, [...merged.keys()].map(fileOf)) : new Set()
  const same = [...merged].filter(([path, file]) => file === fileOf(path) || marked.has(fileOf(path)))
  return new Set(same.map(([path]) => path))
}

/** The paths that differ between two snapshots; empty if git fails. */
export const changedPaths = (before: Snapshot, now: Snapshot) =>
  namesIn(attempt(() => diffTrees(before, now, '--no-renames', '--name-only', '-z'), ''))

const namesIn = (listed: string) => listed.split('\0').filter(Boolean)

/** What git says, or something else if it fails, for example because a snapshot's objects are gone. */
export function attempt<T>(ask: () => T, otherwise: T): T {
  try {
    return ask()
  } catch {
    return otherwise
  }
}
