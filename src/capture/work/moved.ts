import { dirname, isAbsolute } from 'node:path'
import { setsUpTests, setupRemark } from '../../nouns/run/verdict/test-setup.ts'
import type { Input } from '../../operations/routes.ts'
import type { Env } from '../../place/folders.ts'
import { sidesBetween } from '../../place/git/diff.ts'
import { askOf, changesBetween, gone, movesOf, openedAt, treeWithFiles } from '../../place/git/history.ts'
import { programRemarks } from '../../place/program.ts'
import { projectFileOf } from '../../place/project.ts'
import { defined } from '../../recorder/agents/fields.ts'
import { pathOf } from '../../recorder/agents/turn.ts'
import { withIds } from '../../recorder/check.ts'
import { type Memo, nowhere } from '../../recorder/memo.ts'
import type { CommandChange, Trees, Window } from '../../recorder/trees.ts'
import { type Moved, mostPaths, type Snapshot } from '../../recorder/work.ts'
import { apartFrom } from './apart.ts'
import { attempt, changedBy, commitsBy, type Made, type SessionGit, writtenBetween } from './by-command.ts'
import { changedIn, type ObjectChange } from './changed.ts'
import { placed, writtenByOthers } from './placed.ts'

/** How many changed files of a command to look at. */
const mostChanged = 500

interface Here extends SessionGit {
  /** The commands of the turn, with the one that has just ended. */
  commands: Window[]
}

/** How the working tree stands to what the run says about it. */
export function movedTo(now: Snapshot, here: Here): Moved {
  const others = othersIn(now, here)
  const left = withIds(here.memo.leftovers)
  const uncommitted = uncommittedSince(here.memo.base, now, (path, id) => others.has(path) || left.get(path) === id)
  const { base, told, apart = nowhere } = here.memo
  const all = { ...apart, commits: [...(told?.commits ?? []), ...commitsBy(here.commands, here), ...apart.commits] }
  return {
    uncommitted,
    isForeign: isForeign(now, here, others),
    ...headOf(now, here, apart.commits),
    ...defined({ apart: apartFrom(now, { base, apart: all, uncommitted }) }),
  }
}

/** The files that only other recorded sessions wrote, from the top of the working tree. */
function othersIn({ root }: Snapshot, here: Here): Set<string> {
  const { memo, commands } = here
  const others = writtenByOthers(root, here, memo.startedAt ?? 0)
  const named = (memo.draft?.files ?? []).map((path) => placed(root, root, path))
  for (const path of [...(memo.own ?? []), ...named]) others.delete(path)
  const ran = commands.filter(({ now }) => now?.root === root)
  if (others.size > 0) for (const path of ran.flatMap((command) => changedBy(command, here))) others.delete(path)
  return others
}

/** What changed between two snapshots, without what git brought from elsewhere; undefined if git cannot tell. */
export function changesMade(before: Snapshot, now: Snapshot, made: Made): Input<'createRun'>['changes'] {
  // Without a reflog, git does not say what it brought.
  const isSilent = before.git.commit !== now.git.commit && (now.log ?? 0) <= (before.log ?? 0)
  return attempt(() => {
    const sides = sidesBetween(openedAt(now), before.tree, now.tree)
    const written = new Set(writtenBetween(before, now, made))
    const own = [...sides].filter(([path]) => written.has(path))
    if (isSilent || own.length === sides.size) return changesBetween(before, now)
    const files = own.map(([path, { after }]) => [path, after ?? gone(now)] as const)
    return changesBetween(before, { ...now, tree: treeWithFiles(before, new Map(files)) })
  }, undefined)
}

/**
 * The files that differ from the commit, other than at the beginning, except those that are not the session's with that
 * content; null if git cannot tell.
 */
export function uncommittedSince(
  base: Snapshot | undefined,
  now: Snapshot,
  isOthers: (path: string, id: string) => boolean = () => false,
): Moved['uncommitted'] {
  const differing = fromCommit(now)
  if (!differing) return null
  const before = (base && fromCommit(base)) ?? new Map<string, ObjectChange>()
  const paths = [...differing].flatMap(([path, { id }]) =>
    before.get(path)?.id === id || isOthers(path, id) ? [] : path,
  )
  return { count: paths.length, paths: paths.filter(pathOf).slice(0, mostPaths) }
}

/** The files that differ from the commit; undefined if that is unknown. */
const fromCommit = (at: Snapshot) =>
  at.commitTree === undefined ? undefined : changedIn({ ...at, tree: at.commitTree }, at)

/** Whether others wrote all that differs from what the run says, and wrote it since. */
function isForeign(now: Snapshot, here: Here, others: Set<string>): boolean {
  const { told, startedAt = 0 } = here.memo
  const at = told?.at
  if (!at || at.tree === now.tree || others.size === 0) return false
  const changed = changedIn(at, now)
  const recent = writtenByOthers(now.root, here, at.takenAt ?? startedAt)
  return changed !== undefined && [...changed.keys()].every((path) => others.has(path) && recent.has(path))
}

/** How HEAD moved since the run was last told its position. */
function headOf(now: Snapshot, { memo, isOwn }: Here, apart: string[]): Pick<Moved, 'isCheckout' | 'made'> {
  const { at } = memo.told ?? {}
  if (at?.log === undefined || now.log === undefined) return { isCheckout: false }
  const { isCheckout, made } = movesOf(now, at.log, now.log, { isOwn, isMade: (commit) => apart.includes(commit) })
  const tree = made && isCheckout ? askOf(now, 'rev-parse', `${made.commit}^{tree}`) : undefined
  if (made === undefined || tree === undefined) return { isCheckout }
  const isLeft = made.isLeft && made.commit !== now.git.commit
  const branch = isLeft ? made.branch : now.git.branch
  return { isCheckout, made: defined({ commit: made.commit, tree, branch }) }
}

/** The files that changed between two snapshots; none if git cannot tell. */
const pathsSince = (base: Snapshot | undefined, now: Snapshot | undefined): string[] =>
  base && now && base.root === now.root ? [...(changedIn(base, now)?.keys() ?? [])] : []

/**
 * What changed while a command ran; undefined if nothing did, or it is unknown. The session may have run it at the same
 * time as other commands and tools.
 */
export function changeDuring(
  { before, now, began }: Trees,
  { state, name }: Pick<Here, 'state' | 'name'>,
  at: number,
): CommandChange | undefined {
  if (!before || !now || before.root !== now.root || before.tree === now.tree) return undefined
  const from = began ?? at
  const own = state.didMeanwhile(name, now.root, from, at)
  const theirs = [...writtenByOthers(now.root, { state, name }, from, at)].filter((path) => !isAbsolute(path))
  const rivals = state.rivals(name, now.root, from, at)
  const isAlone = own.commands <= 1 && !own.wrote && theirs.length === 0 && rivals.length === 0
  const changed = changedIn(before, now)
  if (!changed || changed.size > mostChanged) return { isAlone }
  const tracked = new Set([before, now].flatMap((at) => committedAmong([...changed.keys()], at)))
  return { isAlone, files: [...changed].map(([path, file]) => ({ path, ...file, isTracked: tracked.has(path) })) }
}

/** Those of the paths that the commit of a snapshot has. A command after it may have committed the others. */
function committedAmong(paths: string[], { commitTree, root, objects }: Snapshot): string[] {
  if (commitTree === undefined) return []
  return (askOf({ root, objects }, 'ls-tree', '-r', '--name-only', '-z', commitTree, '--', ...paths) ?? '').split('\0')
}

interface MoveContext {
  cwd: string
  env: Env
  /** That of the session, if there is one. */
  memo: Memo | undefined
  /** The working tree after the command; undefined outside git. */
  now: Snapshot | undefined
}

/** What a reader should know who trusts the check of a command, in sentences. */
export function checkRemarks(words: readonly string[], { cwd, env, memo, now }: MoveContext): string[] {
  const changed = pathsSince(memo?.base, now).filter((path) => setsUpTests(path, words))
  const root = now?.root ?? dirname(projectFileOf(cwd) ?? `${cwd}/conduct.json`)
  return [...setupRemark(changed), ...programRemarks({ words, cwd, env, root, since: memo?.startedAt })]
}
