import { closeSync, openSync, readSync } from 'node:fs'
import { git } from './git.ts'

/** How git's reflog names what makes a commit. A checkout, a reset or a fast-forward only goes to one. */
const making =
  /^(?:commit|cherry-pick|revert|am|merge|pull|rebase)\b(?!.*(?:Fast-forward|\((?:start|finish|abort)\)|: returning to ))/

/** Where git logs what happens to HEAD in a working tree. */
export const logOf = (root: string): string | undefined =>
  git(root, 'rev-parse', '--path-format=absolute', '--git-path', 'logs/HEAD')

/** At most so much of a log is read, in bytes. */
const mostBytes = 1_048_576

/**
 * The commits that were made in a working tree while its log of HEAD grew `from` so many bytes `to` so many, the oldest
 * first. Commits that came from elsewhere are none of them. Empty where there is no such log.
 */
export function commitsMade(root: string, from: number, to: number): string[] {
  const made = textOf(logOf(root), from, Math.min(to - from, mostBytes))
    .split('\n')
    .flatMap((line) => {
      const [, id, what] = /^[0-9a-f]+ ([0-9a-f]+) [^\t]*\t(.*)$/.exec(line) ?? []
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
