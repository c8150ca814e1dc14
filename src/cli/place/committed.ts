import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { askIn, bytesIn, type Guarded, gitIn } from './guarded.ts'
import { scratchPath } from './scratch.ts'
import { type Nested, treeWith } from './work-tree.ts'

/** A commit, and its tree in the form of a working tree's. */
export interface Committed {
  commit: string
  tree: string
}

/**
 * The commit at HEAD; undefined before the first one. In its tree, the commit of a checked-out submodule is replaced by
 * the tree of that commit. If the submodule lacks it, it stays, and the working tree differs from it.
 */
export function committedAt(guarded: Guarded, nested: Nested[]): Committed | undefined {
  const [commit, tree] = askIn(guarded, 'rev-parse', 'HEAD', 'HEAD^{tree}')?.split('\n') ?? []
  return commit && tree ? { commit, tree: resolvedTree(guarded, tree, nested) } : undefined
}

function resolvedTree(guarded: Guarded, tree: string, nested: Nested[]): string {
  if (nested.length === 0) return tree
  const links = linksIn(guarded, tree, nested)
  if (links.length === 0) return tree
  const path = join(guarded.folder, 'committed.json')
  const key = JSON.stringify([tree, pathsOf(nested)])
  const kept = keptIn(path)
  if (kept.key === key && kept.tree !== undefined) return kept.tree
  const trees = links.flatMap(({ path, commit, inner }) => {
    const found = askIn(inner.guarded, 'rev-parse', '--verify', '--quiet', `${commit}^{tree}`)
    return found === undefined ? [] : [{ path, tree: resolvedTree(inner.guarded, found, inner.work.nested) }]
  })
  const resolved = trees.length === 0 ? tree : joined(guarded, tree, trees)
  if (trees.length === links.length) writeFileSync(path, JSON.stringify({ key, tree: resolved }))
  return resolved
}

const pathsOf = (nested: Nested[]): unknown[] => nested.map(({ path, work }) => [path, pathsOf(work.nested)])

/** The commits that a tree has at the paths of these repositories. */
function linksIn(guarded: Guarded, tree: string, nested: Nested[]) {
  const byPath = new Map(nested.map((one) => [one.path, one]))
  const paths = nested.map(({ path }) => Buffer.from(path, 'latin1').toString('utf8'))
  const listed = bytesIn(guarded, ['ls-tree', '-z', tree, '--', ...paths]).toString('latin1')
  return listed.split('\0').flatMap((line) => {
    const [, commit, path = ''] = /^160000 commit ([0-9a-f]+)\t([\s\S]+)$/.exec(line) ?? []
    const inner = byPath.get(path)
    return commit && inner ? [{ path, commit, inner }] : []
  })
}

function joined(guarded: Guarded, tree: string, trees: { path: string; tree: string }[]): string {
  const index = scratchPath(guarded)
  try {
    gitIn(guarded, ['read-tree', '--no-sparse-checkout', tree], { env: { GIT_INDEX_FILE: index } })
    return treeWith(guarded, index, trees)
  } finally {
    rmSync(index, { force: true })
  }
}

function keptIn(path: string): { key?: string; tree?: string } {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return {}
  }
}

/** Whether tracked files differ from those of the commit. A new file counts as tracked once it is staged. */
export function isDirty(guarded: Guarded, committed: Committed, tree: string): boolean {
  if (tree === committed.tree) return false
  const words = ['-r', '--no-ext-diff', '--no-renames', '--name-only', '-z']
  const differs = (...more: string[]) => bytesIn(guarded, ['diff-tree', ...words, ...more]).length > 0
  if (differs('--diff-filter=a', committed.tree, tree)) return true
  const staged = ['diff-index', '--cached', ...words.slice(1), '--diff-filter=A', 'HEAD']
  return bytesIn(guarded, staged).length > 0
}
