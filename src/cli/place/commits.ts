import { closeSync, openSync, readSync } from 'node:fs'
import { git } from './git.ts'

/**
 * The words with which git's reflog records a new commit. A checkout, a reset or a fast-forward moves HEAD to an
 * existing commit, so none of them counts.
 */
const making =
  /^(?:commit|cherry-pick|revert|am|merge|pull|rebase)\b(?!.*(?:Fast-forward|\((?:start|finish|abort)\)|: returning to ))/s

/** The path of git's reflog of HEAD for a working tree. */
export const logOf = (root: string): string | undefined =>
  git(root, 'rev-parse', '--path-format=absolute', '--git-path', 'logs/HEAD')

/** The most bytes of the reflog that we read. */
const mostBytes = 1_048_576

/**
 * The commits made in a working tree while its reflog of HEAD grew from `from` bytes to `to` bytes, oldest first.
 * Commits that were only fetched or checked out are not included. Empty if there is no such reflog.
 */
export function commitsMade(root: string, from: number, to: number): string[] {
  const made = textOf(logOf(root), from, Math.min(to - from, mostBytes))
    .split('\n')
    .flatMap((line) => {
      const [, id, what] = /^[0-9a-f]+ ([0-9a-f]+) [^\t]*\t(.*)$/s.exec(line) ?? []
      return id && what && making.test(what) ? [id] : []
    })
  return [...new Set(made)]
}

function textOf(path: string | undefined, from: number, length: number): string {
  if (path === undefined || length <= 0) return ''
  try {
    const file = openSync(path, 'r')
    try {
      const bytes = Buffer.alloc(length)
      return bytes.toString('utf8', 0, readSync(file, bytes, 0, length, from))
    } finally {
      closeSync(file)
    }
  } catch {
    return ''
  }
}
