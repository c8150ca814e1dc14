import type { RunInput } from '../nouns/run/fields.ts'
import type { Git } from '../nouns/run/work-fields.ts'
import type { Step } from './agents/seen.ts'
import { type Stepped, withCall } from './facts.ts'
import type { Memo, ReportedWork } from './memo.ts'
import type { Trees } from './trees.ts'

/** The state of a working tree at one moment, with uncommitted and new files. */
export interface Snapshot {
  /** The top folder of the working tree. */
  root: string
  /** The id of git's tree object, which is stored in `objects`. */
  tree: string
  /** The tree of the commit at HEAD, in the same form as `tree`. Missing before the first commit. */
  commitTree?: string
  /** A folder of git objects outside the repository, which stays untouched. */
  objects: string
  /** The length of git's reflog of HEAD at that moment, in bytes. It tells later which commits are new. */
  log?: number
  /** When it was begun, in milliseconds since 1970. Missing in snapshots of an older version. */
  takenAt?: number
  /** The newest stashes at that moment, the newest first, shared by all working trees. */
  stashes?: string[]
  /** The commits of a merge or cherry-pick that has stopped, so that a later command must end it. */
  bringing?: { commit: string; isPick: boolean }[]
  /** The commit at which a rebase has stopped. */
  rebasing?: string
  /** The patch at which `git am` has stopped, as the id of its text. */
  applying?: string
  /** The `git` fields of a run. */
  git: NonNullable<RunInput['git']>
}

/** A use of a tool, with the working tree if it is known. */
export interface Use {
  cwd: string
  trees: Trees
  step: Step & { kind: 'tool' }
}

/** How the working tree stands to what the run says about it. */
export interface Moved {
  /** The files of the session that differ from the commit; null if that is unknown. */
  uncommitted: NonNullable<Git['uncommitted']> | null
  /** Whether all that differs from the run's tree was written by other recorded sessions. */
  isForeign: boolean
  /** Whether HEAD only moved to another commit, by a checkout or a fast-forward, after anything the session committed. */
  isCheckout: boolean
  /** The last commit that the session made before that checkout, its tree, and the branch, unless HEAD was detached. */
  made?: { commit: string; tree: string; branch?: string }
  /** What the run says otherwise because of work on other branches that HEAD does not have. */
  apart?: Git | undefined
}

/**
 * Sends the working tree during a turn, once the session has a check. Otherwise its verdict would compare the check with
 * the files as they were when the turn began. Edits between two commands are sent once, because the first one makes the
 * checks stale.
 */
export function withWork(before: Stepped, use: Use, moved: Moved | undefined): Stepped {
  const { memo } = before
  if (!memo.told || !isMoved(memo, use)) return before
  const isCheck = use.trees.home !== undefined
  const isSeen = use.trees.now !== undefined || use.step.command !== undefined
  const git = isSeen ? gitAfter(memo, use.trees.now, moved, memo.told.commits, isCheck) : unknownWork(memo)
  if (!git) return before
  const isOther = !isEqual(git, memo.told.git)
  const isEdit = use.step.command === undefined && git.tree !== memo.told.tree
  const told = {
    ...reportedAs({ ...memo.told, isChecked: true }, git, use.trees.now),
    ...(isEdit && { isEdited: true as const }),
  }
  return isOther ? withCall(before, 'updateRun', { git }, { told }) : { ...before, memo: { ...memo, told } }
}

const isEqual = (one: Git, other: Git | undefined) => JSON.stringify(one) === JSON.stringify(other)

/** Whether a use may have moved what the verdict of the session's run rests on. */
export const isMoved = ({ begun, ended, told, base, isChecked }: Memo, use: Pick<Use, 'trees' | 'step'>): boolean =>
  begun === true &&
  !ended &&
  told !== undefined &&
  !use.step.refused &&
  mayMove(use, { ...told, ...(isChecked && { isChecked }) }) &&
  !isElsewhere(base, use.trees)

/** Whether a command ran in another working tree than that of the session. */
export const isElsewhere = (base: Snapshot | undefined, { now, before }: Trees): boolean => {
  const at = before ?? now
  return base !== undefined && at !== undefined && at.root !== base.root
}

/** Whether a use may add a check, or change what an earlier check tested. `told` is what the run says before it. */
export function mayMove({ trees, step }: Pick<Use, 'trees' | 'step'>, told: Partial<ReportedWork>): boolean {
  const { tool, command, files = [] } = step
  // A check by a rule of conduct.json, or by the tool of the MCP server.
  if (trees.home !== undefined || tool.endsWith('record_check')) return true
  if (!told.isChecked) return false
  if (command !== undefined) {
    const { now } = trees
    return now !== undefined && (now.tree !== told.tree || now.git.commit !== told.git?.commit)
  }
  return files.length > 0 && !told.isEdited
}

/** What the run should say about the working tree; undefined if it is unknown. */
export function gitAfter(
  { base, told }: Memo,
  now: Snapshot | undefined,
  moved: Moved | undefined,
  commits: string[],
  isCheck = false,
): Git | undefined {
  if (!now) return undefined
  const all = [...new Set([...(told?.commits ?? []), ...commits])]
  const own = {
    ...(base?.git.commit && { base: base.git.commit }),
    ...(all.length > 0 && { commits: all.slice(-mostCommits) }),
  }
  if (told?.git && moved && isKept({ base, told }, moved, all, isCheck)) {
    const { made } = moved
    if (!made || !moved.isCheckout) return { ...told.git, ...own }
    const { branch: _, ...git } = told.git
    return { ...git, ...made, commitTree: made.tree, uncommitted: none, dirty: false, ...own }
  }
  const { commitTree } = now
  const uncommitted = moved?.uncommitted ?? null
  return { ...now.git, ...own, ...(commitTree && { commitTree }), uncommitted, ...moved?.apart }
}

/** What the run says once nobody knows its files any more; undefined if it never said which they are. */
export function unknownWork({ told }: Memo): Git | undefined {
  if (!told?.git?.tree) return undefined
  const { tree: _, commitTree: __, dirty: ___, ...git } = told.git
  return { ...git, uncommitted: null }
}

/** How many uncommitted paths a run names. */
export const mostPaths = 20

/** How many of its commits a run names. */
const mostCommits = 500
const none = { count: 0, paths: [] }

/** Whether the run's work stays as it was, although the files in its folder changed. */
function isKept(
  { base, told }: Pick<Memo, 'base' | 'told'>,
  moved: Moved,
  commits: string[],
  isCheck: boolean,
): boolean {
  if (moved.isForeign) return !isCheck
  const hasChanged = commits.length > 0 || (base !== undefined && told?.tree !== base.tree)
  // What was not committed before a checkout that leaves nothing uncommitted is gone.
  const isCommitted = moved.made !== undefined || told?.git?.uncommitted?.count === 0
  return hasChanged && isCommitted && moved.isCheckout && moved.uncommitted?.count === 0
}

/** The memo of what the run says once that state is sent. */
export function reportedAs(
  { commits, at, isChecked }: Pick<ReportedWork, 'commits' | 'at' | 'isChecked'>,
  git: Git,
  now: Snapshot | undefined,
): ReportedWork {
  const isHere = now && git.tree === now.tree && git.commit === now.git.commit
  const known = isHere ? now : at
  return {
    ...{ tree: git.tree ?? '', git, commits: git.commits ?? commits },
    ...(known && { at: known }),
    ...(isChecked && { isChecked }),
  }
}
