import type { RunFields } from '../../api/run.ts'
import { gitEnv, gitIn } from './git.ts'
import { type Snapshot, withObjects } from './tree.ts'

/**
 * What changed between two snapshots of the same working tree. A moved file counts once; lines of binary files do not
 * count.
 */
export function changesBetween(before: Snapshot, after: Snapshot): NonNullable<RunFields['changes']> | undefined {
  try {
    const told = diffTrees(before, after, '-M', '--shortstat')
    const count = (unit: string) => Number(new RegExp(`(\\d+) ${unit}`).exec(told)?.[1] ?? 0)
    return { files: count('file'), insertions: count('insertion'), deletions: count('deletion') }
  } catch {
    return undefined
  }
}

/** The output of `git diff-tree` for two snapshots of one working tree. Throws if git fails. */
export function diffTrees(before: Snapshot, after: Snapshot, ...words: string[]): string {
  const { root } = after
  const own = gitIn(root, {}, 'rev-parse', '--path-format=absolute', '--git-path', 'objects').trim()
  const env = { ...gitEnv(), ...withObjects(after.objects, own, before.objects) }
  return gitIn(root, { env }, 'diff-tree', '-r', '--no-ext-diff', '--no-textconv', ...words, before.tree, after.tree)
}
