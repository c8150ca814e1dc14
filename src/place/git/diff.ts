import type { RunInput } from '../../nouns/run/fields.ts'
import type { Snapshot } from '../../recorder/snapshot.ts'
import { askIn, bytesIn, type Guarded, guarded } from './guarded.ts'
import { repositoryAt } from './repository.ts'

/**
 * What changed between two snapshots of the same working tree. A moved file counts once; lines of binary files do not
 * count.
 */
export function changesBetween(before: Snapshot, after: Snapshot): NonNullable<RunInput['changes']> | undefined {
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
  const env = { GIT_ALTERNATE_OBJECT_DIRECTORIES: JSON.stringify(before.objects) }
  const all = ['diff-tree', '-r', '--no-ext-diff', '--no-textconv', ...words, before.tree, after.tree]
  return bytesIn(repositoryOf(after), all, { env }).toString('utf8')
}

/** The output of git in the repository of a snapshot; undefined if git fails. */
export function askOf(now: Pick<Snapshot, 'root' | 'objects'>, ...words: string[]): string | undefined {
  try {
    return askIn(repositoryOf(now), ...words)
  } catch {
    return undefined
  }
}

function repositoryOf({ root, objects }: Pick<Snapshot, 'root' | 'objects'>): Guarded {
  const repository = repositoryAt(root)
  if (!repository) throw new Error(`${root} is no git repository`)
  return guarded(repository, objects, performance.now() + 10_000)
}
