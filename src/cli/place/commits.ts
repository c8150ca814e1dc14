import { join } from 'node:path'
import { foreignPart } from './foreign.ts'
import { repositoryAt } from './repository.ts'

/**
 * The words with which git's reflog records a new commit. A checkout, a reset or a fast-forward moves HEAD to an
 * existing commit, so none of them counts.
 */
const making =
  /^(?:commit|cherry-pick|revert|am|merge|pull|rebase)\b(?!.*(?:Fast-forward|\((?:start|finish|abort)\)|: returning to ))/s

/**
 * The commits made in a working tree while its reflog of HEAD grew from `from` bytes to `to` bytes, oldest first.
 * Commits that were only fetched or checked out are not included. Empty if there is no such reflog.
 */
export function commitsMade(root: string, from: number, to: number): string[] {
  const made = textOf(root, from, to - from)
    .split('\n')
    .flatMap((line) => {
      const [, id, what] = /^[0-9a-f]+ ([0-9a-f]+) [^\t]*\t(.*)$/s.exec(line) ?? []
      return id && what && making.test(what) ? [id] : []
    })
  return [...new Set(made)]
}

/** A part of the reflog, of at most 1 MiB. */
function textOf(root: string, from: number, length: number): string {
  const gitDir = repositoryAt(root)?.gitDir
  try {
    return gitDir === undefined ? '' : foreignPart(join(gitDir, 'logs/HEAD'), from, length)
  } catch {
    return ''
  }
}
