import { bytesIn, type Guarded, gitIn, guarded } from './guarded.ts'
import { repositoryBehind } from './tree.ts'

/** What changed between trees, and the contents of files, read with the objects of a session. */

/** Opens the repository of a working tree, with a deadline in so many milliseconds. Throws if it is gone. */
export function openObjects(root: string, objects: string, withinMs: number): Guarded {
  const repository = repositoryBehind({ root, objects })
  if (!repository) throw new Error(`${root} is not a git repository`)
  return guarded(repository, objects, performance.now() + withinMs)
}

/** A side of a change: the mode and the id of the content. */
interface Side {
  mode: string
  id: string
}

/** A changed file. A side is missing where the file did not exist. */
export interface Changed {
  path: string
  /** The old path, if it was renamed. */
  from?: string
  before?: Side
  after?: Side
}

/** Beyond so many new and removed files, git only compares whole contents to find renames. */
const renameLimit = 1_000

/** The files that differ between two trees. Those whose paths are not UTF-8, links to commits and folders are left out. */
export function changedFiles(at: Guarded, before: string, after: string): Changed[] {
  if (before === after) return []
  const words = ['diff-tree', '-r', '--raw', '--no-abbrev', '-z', '-M', `-l${renameLimit}`, ...plainly, before, after]
  const fields = bytesIn(at, words, { mostBytes: 67_108_864 }).toString('utf8').split('\0')
  const changed: Changed[] = []
  for (let next = 0; next + 1 < fields.length; ) {
    const [oldMode = '', mode = '', oldId = '', id = '', status = ''] = (fields[next++] ?? '').slice(1).split(' ')
    const from = fields[next++] ?? ''
    const isRenamed = status.startsWith('R')
    const path = isRenamed ? (fields[next++] ?? '') : from
    if (path.includes('\ufffd') || from.includes('\ufffd')) continue
    const sides = { before: sideOf(oldMode, oldId), after: sideOf(mode, id) }
    changed.push({
      path,
      ...(isRenamed && { from }),
      ...(sides.before && { before: sides.before }),
      ...(sides.after && { after: sides.after }),
    })
  }
  return changed.filter(({ before, after }) => before ?? after)
}

/** A file before and after a change, each as its mode and the id of its content; undefined where there is none. */
export interface Sides {
  before: string | undefined
  after: string | undefined
}

/**
 * The files that differ between two trees or commits, or that a commit changed if there is only one; none of a merge.
 * Links to commits and folders count as no file.
 */
export function sidesBetween(at: Guarded, ...trees: [string, string] | [string]): Map<string, Sides> {
  return sidesListed(at, ['--no-commit-id', ...trees]).get('') ?? new Map()
}

/** The files that each of these stashes changed or added. A stash whose commit is gone is left out. */
export function stashedBy(at: Guarded, stashes: readonly string[]): { stash: string; sides: Map<string, Sides> }[] {
  if (stashes.length === 0) return []
  const parents = gitIn(at, ['rev-list', '--no-walk=unsorted', '--ignore-missing', '--parents', ...stashes])
  const commits = parents.split('\n').map((line) => line.split(' '))
  // The third parent, which has no parent itself, has the new files.
  const lines = commits.flatMap(([stash, head, , added]) => [`${stash} ${head}\n`, ...(added ? [`${added}\n`] : [])])
  const sides = sidesListed(at, ['--stdin'], lines.join(''))
  return commits.map(([stash = '', , , added = '']) => ({
    stash,
    sides: new Map([...(sides.get(stash) ?? []), ...(sides.get(added) ?? [])]),
  }))
}

/** What `diff-tree` lists, by commit; by '' without one. */
function sidesListed(at: Guarded, what: string[], input = ''): Map<string, Map<string, Sides>> {
  const words = ['-r', '--root', '--raw', '--no-abbrev', '--no-renames', '-z', ...plainly, ...what]
  const fields = bytesIn(at, ['diff-tree', ...words], { input, mostBytes: 67_108_864 })
    .toString('utf8')
    .split('\0')
  const text = (side: Side | undefined) => side && `${side.mode} ${side.id}`
  let sides = new Map<string, Sides>()
  const listed = new Map([['', sides]])
  for (let next = 0; next + 1 < fields.length; next++) {
    const field = fields[next] ?? ''
    if (!field.startsWith(':')) {
      sides = new Map()
      listed.set(field, sides)
      continue
    }
    const [oldMode = '', mode = '', oldId = '', id = ''] = field.slice(1).split(' ')
    sides.set(fields[++next] ?? '', { before: text(sideOf(oldMode, oldId)), after: text(sideOf(mode, id)) })
  }
  return listed
}

/** Git runs no program that a setting names, and takes no style from one. */
const plainly = ['--no-ext-diff', '--no-textconv', '--no-color', '--no-relative']

const sideOf = (mode: string, id: string): Side | undefined => (/^1[02]0/.test(mode) ? { mode, id } : undefined)

/** The sizes of contents in bytes. Those that do not exist are missing. */
export function sizesOf(at: Guarded, ids: readonly string[]): Map<string, number> {
  if (ids.length === 0) return new Map()
  const listed = gitIn(at, ['cat-file', '--batch-check=%(objectname) %(objectsize)'], { input: `${ids.join('\n')}\n` })
  return new Map(
    listed.split('\n').flatMap((line) => {
      const [, id, size] = /^([0-9a-f]+) (\d+)$/.exec(line) ?? []
      return id ? [[id, Number(size)] as const] : []
    }),
  )
}

/** The contents with these ids, all of which exist. */
export function contentsOf(at: Guarded, sizes: ReadonlyMap<string, number>): Map<string, Buffer> {
  if (sizes.size === 0) return new Map()
  const most = [...sizes.values()].reduce((sum, size) => sum + size + 100, 1_000)
  const input = `${[...sizes.keys()].join('\n')}\n`
  const bytes = bytesIn(at, ['cat-file', '--batch'], { input, mostBytes: most })
  const found = new Map<string, Buffer>()
  for (let next = 0; next < bytes.length; ) {
    const end = bytes.indexOf('\n', next)
    const [id = '', , size = '0'] = bytes.toString('latin1', next, end).split(' ')
    found.set(id, bytes.subarray(end + 1, end + 1 + Number(size)))
    next = end + 2 + Number(size)
  }
  return found
}

/** Two contents by their ids, one of which may be missing. */
export interface Pair {
  before: string | undefined
  after: string | undefined
}

/**
 * The hunks of unified diffs of contents, in their order; '' where no line differs. Git compares them as the files of two
 * trees, so one call is enough, and neither their paths nor attributes have an effect.
 */
export function hunksBetween(at: Guarded, pairs: readonly Pair[]): string[] {
  const words = ['diff-tree', '-r', '-p', '--text', '--no-renames', '--no-indent-heuristic', '-U3', ...plainly]
  const text = bytesIn(at, [...quietly, ...words, ...treesOf(at, pairs)], { mostBytes: 268_435_456 }).toString('utf8')
  const hunks = pairs.map(() => '')
  for (const section of text.split(/(?<![^\n])(?=diff --git )/)) {
    const [, number] = /^diff --git a\/(\d+) /.exec(section) ?? []
    const start = section.search(/(?<![^\n])@@ /)
    if (number !== undefined && start >= 0) hunks[Number(number)] = section.slice(start)
  }
  return hunks
}

/** How many lines differ between contents that are too large to show how, in their order; undefined: nobody can say. */
export function linesBetween(at: Guarded, pairs: readonly Pair[]): { insertions?: number; deletions?: number }[] {
  const lines: { insertions?: number; deletions?: number }[] = pairs.map(() => ({}))
  if (pairs.length === 0) return lines
  const listed = gitIn(at, ['diff-tree', '-r', '--numstat', '--no-renames', ...plainly, ...treesOf(at, pairs)])
  for (const line of listed.split('\n')) {
    const [, insertions, deletions, number] = /^(\d+)\t(\d+)\t(\d+)$/.exec(line) ?? []
    if (number !== undefined) lines[Number(number)] = { insertions: Number(insertions), deletions: Number(deletions) }
  }
  return lines
}

/** Settings that plumbing, too, takes from the user. */
const quietly = ['-c', 'diff.suppressBlankEmpty=false', '-c', 'diff.algorithm=myers']

/** Two trees in which the contents of each pair have the same name. */
function treesOf(at: Guarded, pairs: readonly Pair[]): [string, string] {
  const treeOf = (side: keyof Pair) => {
    const entries = pairs.flatMap((pair, number) =>
      pair[side] === undefined ? [] : [`100644 blob ${pair[side]}\t${number}\n`],
    )
    return gitIn(at, ['mktree', '--missing'], { input: entries.join('') })
  }
  return [treeOf('before'), treeOf('after')]
}
