import type { Git } from '../../nouns/run/work-fields.ts'
import { sidesBetween } from '../../place/git/diff.ts'
import { askOf, gone, openedAt, treeWithFiles } from '../../place/git/history.ts'
import type { Memo } from '../../recorder/memo.ts'
import type { Window } from '../../recorder/trees.ts'
import { isElsewhere, type Moved, mostPaths, type Snapshot } from '../../recorder/work.ts'
import { commitsBy, type Session } from './by-command.ts'
import { branchesOf } from './changed.ts'

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
 * What the run says otherwise because of commits in other working trees that HEAD does not have, not even as a copy: its
 * tree has their files, too, and they are not in its commit. Where the session did nothing else, it is on that commit.
 */
export function apartFrom(now: Snapshot, { base, apart, uncommitted }: Apart): Git | undefined {
  if (!base || apart.length === 0 || base.root !== now.root) return undefined
  const branches = branchesOf(now, apart).filter(({ tip }) => !isCopied(now, tip))
  const [only, ...others] = branches
  if (!only) return undefined
  const { commit } = base.git
  const isUnmoved = now.tree === base.tree && now.git.commit === commit && base.tree === base.commitTree
  if (isUnmoved && others.length === 0 && only.first === commit) return atCommit(now, only.tip)
  const files = new Map<string, string>()
  for (const { first, tip } of branches) {
    for (const [path, { after }] of sidesBetween(openedAt(now), first, tip)) files.set(path, after ?? gone(now))
  }
  const paths = [...new Set([...(uncommitted?.paths ?? []), ...files.keys()])]
  const count = (uncommitted?.count ?? 0) + paths.length - (uncommitted?.paths.length ?? 0)
  return { tree: treeWithFiles(now, files), uncommitted: { count, paths: paths.slice(0, mostPaths) } }
}

interface Apart {
  base: Snapshot | undefined
  /** The commits in other working trees. */
  apart: string[]
  /** What the session has not committed in its own. */
  uncommitted: Moved['uncommitted']
}

/** Whether HEAD has the same changes by other commits, as after a cherry-pick. */
const isCopied = (now: Snapshot, tip: string): boolean =>
  askOf(now, 'cherry', now.git.commit ?? 'HEAD', tip)
    ?.split('\n')
    .every((line) => line.startsWith('-')) === true

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
