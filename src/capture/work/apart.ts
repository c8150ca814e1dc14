import type { Git } from '../../nouns/run/work-fields.ts'
import { askOf } from '../../place/git/history.ts'
import type { Memo } from '../../recorder/memo.ts'
import type { Window } from '../../recorder/trees.ts'
import { isElsewhere, type Snapshot } from '../../recorder/work.ts'
import { attempt, commitsBy, committedIn, type Session } from './by-command.ts'
import { branchesOf, treeOfWork } from './changed.ts'

// A session has one working tree. What it commits in other ones of the repository, such as those of its subagents, is work on
// other branches.

/** The commands of a session that ran in other working trees. */
export const elsewhere = (commands: Window[] = [], { base }: Memo): Window[] =>
  commands.filter((command) => isElsewhere(base, command))

/** All commits so far that a session made in other working trees, oldest first. */
export const apartCommits = (commands: Window[] | undefined, session: Session): string[] => [
  ...new Set([...(session.memo.apart ?? []), ...commitsBy(elsewhere(commands, session.memo), session)]),
]

/**
 * What the run says otherwise because of commits in other working trees that HEAD does not have: its tree has their files,
 * too. Where the session did nothing else, it is on that commit.
 */
export function apartFrom(now: Snapshot, base: Snapshot | undefined, apart: string[]): Git | undefined {
  if (!base || apart.length === 0 || base.root !== now.root) return undefined
  const [only, ...others] = branchesOf(now, apart)
  if (!only) return undefined
  const { commit } = base.git
  const isUnmoved = now.tree === base.tree && now.git.commit === commit && base.tree === base.commitTree
  if (isUnmoved && others.length === 0 && only.first === commit) return atCommit(now, only.tip)
  const files = apart.flatMap((one) => committedIn(now, one))
  return { tree: attempt(() => treeOfWork(files, base, { end: now, commits: apart }), now.tree) }
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
