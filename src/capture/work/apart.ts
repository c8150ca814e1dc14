import { existsSync } from 'node:fs'
import type { Git } from '../../nouns/run/work-fields.ts'
import { blended } from '../../place/git/blend.ts'
import { sidesBetween } from '../../place/git/diff.ts'
import { askOf, gone, openedAt, treeWithFiles } from '../../place/git/history.ts'
import { branchName, rootsOf, snapshot } from '../../place/git/tree.ts'
import { pathOf } from '../../recorder/agents/turn.ts'
import { type Apart, type ApartFile, nowhere } from '../../recorder/memo.ts'
import type { Window } from '../../recorder/trees.ts'
import { isElsewhere, type Moved, mostPaths, type Snapshot, type Use } from '../../recorder/work.ts'
import { ownPath, pathIn } from '../../system/paths.ts'
import { attempt, changedBy, commitsBy, committedIn, type SessionGit } from './by-command.ts'
import { type Branch, branchesOf, changedIn } from './changed.ts'

// A session has one working tree. What it does in other ones of the repository, such as those of its subagents, is work on
// other branches.

/** What the use of a tool did in other working trees. */
export function didApart({ step, trees }: Use, window: Window, session: SessionGit): Apart | undefined {
  const { base } = session.memo
  if (!base) return undefined
  const named = step.files?.length ? namedElsewhere(base, step.files) : []
  const root = isElsewhere(base, trees) ? trees.now?.root : undefined
  const changed = root === undefined ? [] : changedBy(window, session).map((path): ApartFile => ({ root, path }))
  const commits = root === undefined ? [] : commitsBy([window], session)
  const files = [...named, ...changed]
  return commits.length + files.length === 0 ? undefined : { commits, files }
}

/** What a session did so far in the working tree that it leaves. */
export function leftBehind(session: SessionGit): Apart {
  const { base, own = [], told, commands = [], draft } = session.memo
  if (!base) return nowhere
  const here = commands.filter((command) => !isElsewhere(base, command))
  const named = draft?.files.flatMap((file) => pathIn(base.root, ownPath(file)) || []) ?? []
  const paths = [...own, ...here.flatMap((command) => changedBy(command, session)), ...named]
  return {
    commits: [...(told?.commits ?? []), ...commitsBy(here, session)],
    files: paths.map((path) => ({ root: base.root, path })),
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

/** The files of a session that these of its commits have, if it made them in other working trees. */
export function committedElsewhere(now: Snapshot | undefined, commits: string[], apart: Apart): Set<string> {
  const own = new Set(apart.files.map(({ path }) => path))
  const made = commits.filter((commit) => apart.commits.includes(commit))
  return new Set(now ? made.flatMap((commit) => committedIn(now, commit)).filter((path) => own.has(path)) : [])
}

/** The path of a file that a tool wrote in another working tree, and that is committed there. */
export function committedAs(file: string, committed: Set<string>, { files }: Apart): string | undefined {
  const own = ownPath(file)
  return files.find(({ root, path }) => committed.has(path) && pathIn(root, own) === path)?.path
}

interface Here {
  base: Snapshot | undefined
  /** What the session did in other working trees, and all of its commits. */
  apart: Apart
  /** What the session has not committed in its own working tree. */
  uncommitted: Moved['uncommitted']
}

/**
 * What the run says otherwise because of work on other branches that HEAD does not have, not even as a copy: its tree has
 * those files, too, and they are not in its commit. Where the session only made commits on one branch, it is on the last of
 * them.
 */
export const apartFrom = (now: Snapshot, here: Here): Git | undefined => attempt(() => workApart(now, here), unreadable)

/** What the run says where git cannot tell. */
const unreadable: Git = { tree: undefined, uncommitted: null }

function workApart(now: Snapshot, { base, apart, uncommitted }: Here): Git | undefined {
  if (!base || apart.commits.length + apart.files.length === 0 || base.root !== now.root) return undefined
  const branches = branchesOf(now, { end: now, commits: apart.commits }).filter(({ tip }) => !isCopied(now, tip))
  const open = openFiles(now, apart)
  const [only, ...others] = branches
  const { commit } = base.git
  const isUnmoved = now.tree === base.tree && now.git.commit === commit && base.tree === base.commitTree
  if (only && isUnmoved && open.size + others.length === 0 && only.first === commit) return atCommit(now, only.tip)
  const files = filesOn(branches, now)
  for (const [path, file] of open) files.set(path, file)
  if (files.size === 0) return undefined
  const paths = [...new Set([...(uncommitted?.paths ?? []), ...files.keys()])]
  const count = (uncommitted?.count ?? 0) + paths.length - (uncommitted?.paths.length ?? 0)
  return { tree: treeWithFiles(now, files), uncommitted: { count, paths: paths.filter(pathOf).slice(0, mostPaths) } }
}

/** The files that these branches would change in the working tree if they were merged into it, by path. */
function filesOn(branches: Branch[], now: Snapshot): Map<string, string> {
  const files = new Map<string, string>()
  const at = openedAt(now)
  for (const { first, tip } of branches) {
    const changes = [...sidesBetween(at, first, tip)].map(([path, sides]) => ({
      path,
      ...sides,
      to: sides.after ?? gone(now),
    }))
    const differing = sidesBetween(at, first, now.tree)
    const open = changes.filter(({ path, before: from, after: to }) => {
      const here = differing.has(path) ? differing.get(path)?.after : from
      return blended(at, here, { from, to, favor: 'theirs' }) !== here
    })
    const known =
      open.length > 0
        ? contentsSince(
            now,
            first,
            open.map(({ path }) => path),
          )
        : undefined
    for (const { path, to } of open) if (!known?.has(`${path} ${to}`)) files.set(path, to)
  }
  return files
}

/** How many paths to give to git at once. A file beyond that counts as one that HEAD never had. */
const mostAsked = 500

/** The contents that these files had in the commits of HEAD since `first`, each as its path, mode and id. */
function contentsSince(now: Snapshot, first: string, paths: string[]): Set<string> {
  const words = ['--no-show-signature', '--format=', '--raw', '--no-abbrev', '--no-renames', '-m', '-z']
  const since = `${first}..${now.git.commit ?? 'HEAD'}`
  const listed = askOf(now, 'log', ...words, since, '--', ...paths.slice(0, mostAsked)) ?? ''
  const changes = listed.matchAll(/:\d+ (\d+) [0-9a-f]+ ([0-9a-f]+) [A-Z]\0([^\0]+)\0/g)
  return new Set([...changes].map(([, mode, id, path]) => `${path} ${mode} ${id}`))
}

/** The files of the session that are not committed in other working trees, by path, with the mode and id of each. */
function openFiles(now: Snapshot, { files }: Apart): Map<string, string> {
  const open = new Map<string, string>()
  const byRoot = Map.groupBy(files, ({ root }) => root)
  for (const [root, some] of byRoot) {
    if (!existsSync(root)) continue
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
    : {
        commit,
        tree,
        commitTree: tree,
        branch: branch && branchName(branch),
        uncommitted: { count: 0, paths: [] },
        dirty: false,
      }
}
