import { existsSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { sidesBetween } from '../../place/git/diff.ts'
import { askOf, diffTrees, gone, openedAt, treeWithFiles } from '../../place/git/history.ts'
import { headsOf } from '../../place/git/tree.ts'
import type { Snapshot } from '../../recorder/work.ts'

/** Added and removed lines of a file; neither for a binary file. */
export interface LineCounts {
  insertions?: number
  deletions?: number
}

/** Where a session began and ended, and the commits that it made meanwhile, oldest first. */
export interface SessionSpan {
  base: Snapshot | undefined
  /** The tree is that of the session's work, which a checkout does not move. */
  end: Snapshot | undefined
  commits: string[]
}

/**
 * The files among these that a session changed in the end, with their lines compared with its beginning. A file that is as
 * it was is left out, unless a commit that the session made, and that is still there, changed it on another branch. Without
 * trees, all files are changed.
 */
export function changedAmong(paths: string[], { base, end, commits }: SessionSpan): Map<string, LineCounts> {
  const lines = base && end && base.root === end.root ? linesBetween(base, end) : undefined
  if (!base || !end || !lines) return new Map(paths.map((path) => [path, {}]))
  const same = paths.filter((path) => !lines.has(path))
  const committed =
    same.length > 0 && commits.length > 0 ? committedLines(base, { end, commits }) : new Map<string, LineCounts>()
  const unseen = unseenAmong(
    same.filter((path) => !committed.has(path)),
    base,
  )
  return new Map(
    paths.flatMap((path) => {
      const known = lines.get(path) ?? committed.get(path) ?? (unseen.has(path) ? {} : undefined)
      return known ? [[path, known] as const] : []
    }),
  )
}

/** The files that differ between two snapshots; undefined if git fails, for example because their objects are gone. */
function linesBetween(base: Snapshot, end: Snapshot): Map<string, LineCounts> | undefined {
  if (base.tree === end.tree) return new Map()
  try {
    return linesIn(diffTrees(base, end, '--no-renames', '--numstat', '-z'))
  } catch {
    return undefined
  }
}

function linesIn(listed: string): Map<string, LineCounts> {
  const lines = new Map<string, LineCounts>()
  for (const line of listed.split('\0')) {
    const [, insertions, deletions, path] = /^(\d+|-)\t(\d+|-)\t([\s\S]+)$/.exec(line) ?? []
    if (path === undefined) continue
    lines.set(path, insertions === '-' ? {} : { insertions: Number(insertions), deletions: Number(deletions) })
  }
  return lines
}

/** The files that no tree shows: those that git ignores, and those outside of the repository. */
function unseenAmong(paths: string[], base: Snapshot): Set<string> {
  const there = paths.filter((path) => isAbsolute(path) || existsSync(join(base.root, path)))
  const asked = there.filter((path) => !isAbsolute(path))
  const known = new Set<string>()
  for (let at = 0; at < asked.length; at += mostAsked) {
    const some = asked.slice(at, at + mostAsked)
    const listed = askOf(base, 'ls-tree', '-r', '--name-only', '-z', base.tree, '--', ...some) ?? ''
    for (const path of listed.split('\0')) known.add(path)
  }
  return new Set(there.filter((path) => !known.has(path)))
}

/** How many paths to give to git at once. */
const mostAsked = 500

/** How many branches of a session to look at. */
const mostTips = 20

/** What the commits changed that a branch or HEAD still has, with the newest of each branch. */
function committedLines(base: Snapshot, { end, commits }: Left): Map<string, LineCounts> {
  const lines = new Map<string, LineCounts>()
  for (const { first, tip } of branchesOf(base, { end, commits })) {
    const listed = askOf(end, 'diff-tree', '-r', '--no-renames', '--numstat', '-z', first, tip)
    for (const [path, line] of linesIn(listed ?? '')) lines.set(path, line)
  }
  return lines
}

/** What a session left, and all of its commits, oldest first. */
export interface Left {
  end: Snapshot
  commits: string[]
}

/**
 * The tree of a session's work: that at its end, with those of its files that only its commits on other branches changed. A
 * file that differed where the branch began stays as it is: its diff would contain what others wrote.
 */
export function treeOfWork(own: string[], base: Snapshot, { end, commits }: Left): string {
  const lines = commits.length > 0 ? linesBetween(base, end) : undefined
  const same = new Set(lines && own.filter((path) => !lines.has(path)))
  if (same.size === 0) return end.tree
  const at = openedAt(end)
  const files = new Map<string, string>()
  for (const { first, tip } of branchesOf(base, { end, commits })) {
    const differing = sidesBetween(at, base.tree, first)
    for (const [path, { after }] of sidesBetween(at, first, tip)) {
      if (same.has(path) && !differing.has(path)) files.set(path, after ?? gone(end))
    }
  }
  return treeWithFiles(end, files)
}

export interface Branch {
  /** The newest commit of the session there. */
  tip: string
  /** The one on which its oldest one was made. */
  first: string
}

/**
 * Where the session's commits are, oldest first, that a branch or HEAD still has. Where HEAD goes on from `base`, those of HEAD
 * are in its tree.
 */
export function branchesOf(base: Snapshot, { end, commits }: Left): Branch[] {
  const own = keptParents(end, commits)
  const parents = new Set(own.values())
  const head = end.git.commit ?? 'HEAD'
  const isAway = base.git.commit && askOf(end, 'rev-list', '--max-count=1', base.git.commit, '--not', head)
  const within = isAway ? [] : ['--not', head]
  const away = new Set(askOf(end, 'rev-list', '--ignore-missing', ...commits, ...within)?.split('\n'))
  const tips = [...own.keys()].filter((commit) => !parents.has(commit) && away.has(commit))
  return tips.slice(-mostTips).flatMap((tip) => {
    let first: string | undefined = tip
    while (first !== undefined && own.has(first)) first = own.get(first)
    return first === undefined ? [] : [{ tip, first }]
  })
}

/** The first parents of the commits that are not lost, as after a reset or an amendment. */
function keptParents(end: Snapshot, commits: string[]): Map<string, string | undefined> {
  const kept = ['--not', '--all', ...headsOf(end)]
  const lost = new Set(askOf(end, 'rev-list', '--ignore-missing', ...commits, ...kept)?.split('\n'))
  const listed = askOf(end, 'rev-list', '--ignore-missing', '--no-walk=unsorted', '--parents', ...commits) ?? ''
  const known = listed.split('\n').map((line) => line.split(' '))
  return new Map(known.flatMap(([id, parent]) => (id && !lost.has(id) ? [[id, parent] as const] : [])))
}

export interface ObjectChange {
  /** The mode and id of the content in the first tree, and in the second one. */
  was: string
  id: string
  isNew: boolean
}

/** The files that differ between two trees; undefined if git fails. */
export function changedIn(before: Snapshot, after: Snapshot): Map<string, ObjectChange> | undefined {
  if (before.tree === after.tree) return new Map()
  try {
    const fields = diffTrees(before, after, '--no-renames', '--raw', '--no-abbrev', '-z').split('\0')
    const changed = new Map<string, ObjectChange>()
    for (let at = 0; at + 1 < fields.length; at += 2) {
      const [wasMode, mode, wasId, id, status] = (fields[at] as string).slice(1).split(' ')
      const ids = { was: `${wasMode} ${wasId}`, id: `${mode} ${id}` }
      changed.set(fields[at + 1] as string, { ...ids, isNew: status === 'A' })
    }
    return changed
  } catch {
    return undefined
  }
}
