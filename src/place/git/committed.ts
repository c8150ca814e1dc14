import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Snapshot } from '../../recorder/work.ts'
import { foreignEnd, foreignText } from '../foreign.ts'
import { askIn, bytesIn, type Guarded, gitIn, hasTables, jsonAt, stored } from './guarded.ts'
import { stampOf, withIndex } from './scratch.ts'
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
  const path = join(guarded.folder, 'head.json')
  const known = jsonAt<Committed>(path)
  const head = headOf(guarded)
  if (known.commit !== undefined && known.tree !== undefined && known.commit === head)
    return { commit: known.commit, tree: resolvedTree(guarded, known.tree, nested) }
  const [commit, tree] = askIn(guarded, 'rev-parse', 'HEAD', 'HEAD^{tree}')?.split('\n') ?? []
  if (!commit || !tree) return undefined
  writeFileSync(path, JSON.stringify({ commit, tree } satisfies Committed))
  return { commit, tree: resolvedTree(guarded, tree, nested) }
}

/** The commit at HEAD, if a file of its own says it; undefined if only git can tell. */
function headOf({ gitDir, commonDir }: Guarded): string | undefined {
  const head = foreignText(join(gitDir, 'HEAD'))?.trim() ?? ''
  const [, branch] = /^ref: (refs\/heads\/[^\0\r\n]+)$/.exec(head) ?? []
  const id = branch === undefined ? head : foreignText(join(commonDir, branch))?.trim()
  return id !== undefined && /^[0-9a-f]{40,64}$/.test(id) ? id : undefined
}

function resolvedTree(guarded: Guarded, tree: string, nested: Nested[]): string {
  if (nested.length === 0) return tree
  const links = linksIn(guarded, tree, nested)
  if (links.length === 0) return tree
  const path = join(guarded.folder, 'committed.json')
  const key = JSON.stringify([tree, pathsOf(nested)])
  const kept = jsonAt<{ key: string; tree: string }>(path)
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
  return withIndex(guarded, (index) => {
    gitIn(guarded, ['read-tree', '--no-sparse-checkout', tree], { env: { GIT_INDEX_FILE: index } })
    return treeWith(guarded, index, trees)
  })
}

/** Whether tracked files differ from those of the commit. A new file counts as tracked once it is staged. */
export function isDirty(guarded: Guarded, committed: Committed, tree: string): boolean {
  if (tree === committed.tree) return false
  const path = join(guarded.folder, 'dirty.json')
  const key = [committed.tree, tree, stampOf(join(guarded.gitDir, 'index'))].join(' ')
  const kept = jsonAt<{ key: string; isDirty: boolean }>(path)
  if (kept.key === key && kept.isDirty !== undefined) return kept.isDirty
  const isDirty = differs(guarded, committed.tree, tree)
  writeFileSync(path, JSON.stringify({ key, isDirty }))
  return isDirty
}

function differs(guarded: Guarded, before: string, after: string): boolean {
  const words = ['-r', '--no-ext-diff', '--no-renames', '--name-only', '-z']
  if (bytesIn(guarded, ['diff-tree', ...words, '--diff-filter=a', before, after]).length > 0) return true
  const staged = ['diff-index', '--cached', ...words.slice(1), '--diff-filter=A', 'HEAD']
  return bytesIn(guarded, staged).length > 0
}

/** What git has put away in a repository, and at what it has stopped in a working tree. */
export function pendingIn(of: Guarded): Pick<Snapshot, 'stashes' | 'bringing' | 'rebasing' | 'applying'> {
  const stashes = stashesIn(of)
  const bringing = bringingIn(of)
  const rebasing = isRebasing(of) ? commitsIn(of, 'REBASE_HEAD')[0] : undefined
  const applying = patchIn(of)
  return {
    ...(stashes.length > 0 && { stashes }),
    ...(bringing.length > 0 && { bringing }),
    ...(rebasing && { rebasing }),
    ...(applying && { applying }),
  }
}

/** What a merge or cherry-pick that has stopped brings in. A rebase picks commits that were there before. */
function bringingIn(of: Guarded): NonNullable<Snapshot['bringing']> {
  if (isRebasing(of)) return []
  return ['MERGE_HEAD', 'CHERRY_PICK_HEAD'].flatMap((name) =>
    commitsIn(of, name).map((commit) => ({ commit, isPick: name !== 'MERGE_HEAD' })),
  )
}

const isRebasing = ({ gitDir }: Guarded): boolean =>
  ['rebase-merge', 'rebase-apply'].some((name) => existsSync(join(gitDir, name)))

function patchIn(of: Guarded): string | undefined {
  const folder = join(of.gitDir, 'rebase-apply')
  if (!existsSync(join(folder, 'applying'))) return undefined
  try {
    const patch = foreignText(join(folder, 'patch'))
    return patch && stored(of, patch)
  } catch {
    // For example because it is too large.
    return undefined
  }
}

/** The commits that git names in a file of its folder. */
function commitsIn({ gitDir }: Guarded, name: string): string[] {
  const lines = foreignText(join(gitDir, name))?.split('\n') ?? []
  return lines.filter((line) => /^[0-9a-f]{40,64}$/.test(line))
}

const mostStashes = 10

function stashesIn(of: Guarded): string[] {
  if (hasTables(of)) {
    const words = ['--walk-reflogs', '--no-show-signature', `--max-count=${mostStashes}`, '--format=%H', 'refs/stash']
    return askIn(of, 'log', ...words)?.split('\n') ?? []
  }
  const lines = foreignEnd(join(of.commonDir, 'logs/refs/stash'), 8_192)?.split('\n') ?? []
  const commits = lines.flatMap((line) => /^[0-9a-f]{40,64} ([0-9a-f]{40,64}) /.exec(line)?.[1] ?? [])
  return commits.reverse().slice(0, mostStashes)
}
