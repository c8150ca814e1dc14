import { existsSync } from 'node:fs'
import type { Git } from '../../nouns/run/work-fields.ts'
import { sidesBetween } from '../../place/git/diff.ts'
import { askOf, gone, openedAt, treeWithFiles } from '../../place/git/history.ts'
import { rootsOf, snapshot } from '../../place/git/tree.ts'
import type { Apart, ApartFile, Memo } from '../../recorder/memo.ts'
import type { Window } from '../../recorder/trees.ts'
import { isElsewhere, type Moved, mostPaths, type Snapshot } from '../../recorder/work.ts'
import { ownPath, pathIn } from '../../system/paths.ts'
import { changedBy, commitsBy, committedIn, type Session } from './by-command.ts'
import { branchesOf, changedIn } from './changed.ts'

// A session has one working tree. What it does in other ones of the repository, such as those of its subagents, is work on
// other branches.

/** The commands of a session that ran in other working trees. */
export const elsewhere = (commands: Window[] = [], { base }: Memo): Window[] =>
  commands.filter((command) => isElsewhere(base, command))

/** All that a session did so far in other working trees. */
export function apartOf(commands: Window[] | undefined, session: Session): Apart {
  const { base, draft, apart = { commits: [], files: [] } } = session.memo
  const there = elsewhere(commands, session.memo)
  const byCommands = there.flatMap((command): ApartFile[] =>
    changedBy(command, session).map((path) => ({ root: command.now?.root ?? '', path })),
  )
  const named = base && draft?.files.length ? namedElsewhere(base, draft.files) : []
  const files = [...apart.files, ...byCommands, ...named].map((file): [string, ApartFile] => [
    JSON.stringify(file),
    file,
  ])
  return {
    commits: [...new Set([...apart.commits, ...commitsBy(there, session)])],
    files: [...new Map(files).values()],
  }
}

/** The files that tools wrote in other working trees, from the top of those. */
function namedElsewhere(base: Snapshot, files: string[]): ApartFile[] {
  const roots = rootsOf(base).sort((one, other) => other.length - one.length)
  return files.flatMap((file): ApartFile[] => {
    const root = roots.find((root) => pathIn(root, ownPath(file)))
    return root === undefined || root === base.root ? [] : [{ root, path: pathIn(root, ownPath(file)) as string }]
  })
}

/** The files of a session that its commands committed in other working trees. */
export const committedElsewhere = (commands: Window[], session: Session, { files }: Apart): Set<string> => {
  const own = new Set(files.map(({ path }) => path))
  const committed = elsewhere(commands, session.memo).flatMap((command) =>
    commitsBy([command], session).flatMap((commit) => committedIn(command.now as Snapshot, commit)),
  )
  return new Set(committed.filter((path) => own.has(path)))
}

/** The path of a file that a tool wrote in another working tree, and that is committed there. */
export function committedAs(file: string, committed: Set<string>, { files }: Apart): string | undefined {
  const own = ownPath(file)
  return files.find(({ root, path }) => committed.has(path) && pathIn(root, own) === path)?.path
}

interface Here {
  base: Snapshot | undefined
  apart: Apart
  /** What the session has not committed in its own working tree. */
  uncommitted: Moved['uncommitted']
}

/**
 * What the run says otherwise because of work in other working trees that HEAD does not have, not even as a copy: its tree has
 * those files, too, and they are not in its commit. Where the session only made commits on one branch, it is on the last of
 * them. Throws if git fails.
 */
export function apartFrom(now: Snapshot, { base, apart, uncommitted }: Here): Git | undefined {
  if (!base || apart.commits.length + apart.files.length === 0 || base.root !== now.root) return undefined
  const branches = branchesOf(now, apart.commits).filter(({ tip }) => !isCopied(now, tip))
  const open = openFiles(now, apart)
  const [only, ...others] = branches
  const { commit } = base.git
  const isUnmoved = now.tree === base.tree && now.git.commit === commit && base.tree === base.commitTree
  if (only && isUnmoved && open.size + others.length === 0 && only.first === commit) return atCommit(now, only.tip)
  const files = new Map<string, string>()
  for (const { first, tip } of branches) {
    for (const [path, { after }] of sidesBetween(openedAt(now), first, tip)) files.set(path, after ?? gone(now))
  }
  for (const [path, file] of open) files.set(path, file)
  if (files.size === 0) return undefined
  const paths = [...new Set([...(uncommitted?.paths ?? []), ...files.keys()])]
  const count = (uncommitted?.count ?? 0) + paths.length - (uncommitted?.paths.length ?? 0)
  return { tree: treeWithFiles(now, files), uncommitted: { count, paths: paths.slice(0, mostPaths) } }
}

/** How many other working trees to look at. */
const mostRoots = 10

/** The files of the session that are not committed in other working trees, by path, with the mode and id of each. */
function openFiles(now: Snapshot, { files }: Apart): Map<string, string> {
  const open = new Map<string, string>()
  const byRoot = Map.groupBy(files, ({ root }) => root)
  for (const [root, some] of [...byRoot].filter(([root]) => existsSync(root)).slice(-mostRoots)) {
    const there = snapshot(root, now.objects)
    const changed = there?.commitTree && changedIn({ ...there, tree: there.commitTree }, there)
    if (!changed) throw new Error(`the working tree ${root} cannot be read`)
    for (const { path } of some) {
      const change = changed.get(path)
      if (change) open.set(path, change.id)
    }
  }
  return open
}

/** Whether HEAD has the same changes by other commits, as after a cherry-pick. */
const isCopied = (now: Snapshot, tip: string): boolean =>
  askOf(now, 'cherry', now.git.commit ?? 'HEAD', tip)
    ?.split('\n')
    .every((line) => line.startsWith('-')) === true

/** A commit on another branch, with everything committed. */
function atCommit(now: Snapshot, commit: string): Git | undefined {
  const tree = askOf(now, 'rev-parse', `${commit}^{tree}`)
  const words = [`--points-at=${commit}`, '--count=1', '--format=%(refname:short)', 'refs/heads']
  const branch = askOf(now, 'for-each-ref', ...words)
  return tree === undefined
    ? undefined
    : { commit, tree, commitTree: tree, branch, uncommitted: { count: 0, paths: [] }, dirty: false }
}
