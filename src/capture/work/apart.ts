import type { Git } from '../../nouns/run/work-fields.ts'
import { askOf, commitsMade, type IsOwn } from '../../place/git/history.ts'
import type { Memo, Window } from '../../recorder/memo.ts'
import { isElsewhere, type Snapshot } from '../../recorder/work.ts'
import type { State } from '../spool/state.ts'
import { attempt, committedIn } from './by-command.ts'
import { branchesOf, treeOfWork } from './changed.ts'

// A session has one working tree. What it commits in other ones of the repository, such as those of its subagents, is work on
// other branches.

interface Here {
  state: State
  /** The name of the session's recording. */
  name: string
  memo: Memo
  isOwn: IsOwn
}

/** The commits that commands made, if no other session ran a command in the same working tree meanwhile. */
export function commitsBy(commands: Window[], { state, name, isOwn, memo }: Here): string[] {
  return commands.flatMap(({ from, to, before, now }) => {
    if (before?.log === undefined || now?.log === undefined || before.root !== now.root) return []
    return state.rivals(name, now.root, from, to).length > 0
      ? []
      : commitsMade(now, before.log, now.log, isOwn, memo.startedAt)
  })
}

/** The commands of a session that ran in other working trees. */
export const elsewhere = (commands: Window[] = [], { base }: Memo): Window[] =>
  commands.filter((command) => isElsewhere(base, command))

/** All commits so far that a session made in other working trees, oldest first. */
export const apartCommits = (commands: Window[] | undefined, here: Here): string[] => [
  ...new Set([...(here.memo.apart ?? []), ...commitsBy(elsewhere(commands, here.memo), here)]),
]

/**
 * What the run says otherwise because of commits in other working trees that HEAD does not have: its tree has their files,
 * too. Where the session did nothing else, it is on that commit.
 */
export function apartFrom(now: Snapshot, base: Snapshot | undefined, apart: string[]): Git | undefined {
  if (!base || apart.length === 0 || base.root !== now.root) return undefined
  const open = askOf(now, 'rev-list', '--ignore-missing', ...apart, '--not', 'HEAD')?.split('\n') ?? []
  const commits = apart.filter((commit) => open.includes(commit))
  const branches = commits.length > 0 ? branchesOf(now, commits) : []
  const [only, ...others] = branches
  if (!only) return undefined
  const { commit } = base.git
  const isUnmoved = now.tree === base.tree && now.git.commit === commit && base.tree === base.commitTree
  if (isUnmoved && others.length === 0 && only.first === commit) return atCommit(now, only.tip)
  const files = commits.flatMap((one) => committedIn(now, one))
  return { tree: attempt(() => treeOfWork(files, base, { end: now, commits }), now.tree) }
}

/** A commit on another branch, with everything committed. */
function atCommit(now: Snapshot, commit: string): Git | undefined {
  const tree = askOf(now, 'rev-parse', `${commit}^{tree}`)
  const named = askOf(
    now,
    'for-each-ref',
    `--points-at=${commit}`,
    '--count=1',
    '--format=%(refname:short)',
    'refs/heads',
  )
  return tree === undefined
    ? undefined
    : { commit, tree, commitTree: tree, branch: named || undefined, uncommitted: { count: 0, paths: [] }, dirty: false }
}
