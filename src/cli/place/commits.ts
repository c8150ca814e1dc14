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
  const made = entriesOf(root, from, to).flatMap(({ id, what }) => (making.test(what) ? [id] : []))
  return [...new Set(made)]
}

const moving = /^(?:checkout\b|(?:merge|pull)\b.*Fast-forward$)/s

/**
 * How HEAD moved while its reflog grew: whether only by checkouts and fast-forwards after the last commit that was made
 * here, and which one that was.
 */
export function movesOf(root: string, from: number, to: number): { isCheckout: boolean; made?: string } {
  let made: string | undefined
  let moves = 0
  for (const { id, what } of entriesOf(root, from, to)) {
    if (making.test(what)) {
      made = id
      moves = 0
    } else if (moving.test(what)) moves++
    else return { isCheckout: false }
  }
  return { isCheckout: moves > 0, ...(made !== undefined && { made }) }
}

const entriesOf = (root: string, from: number, to: number) =>
  textOf(root, from, to - from)
    .split('\n')
    .flatMap((line) => {
      const [, id, what] = /^[0-9a-f]+ ([0-9a-f]+) [^\t]*\t(.*)$/s.exec(line) ?? []
      return id && what ? [{ id, what }] : []
    })

/** A part of the reflog, of at most 1 MiB. */
function textOf(root: string, from: number, length: number): string {
  const gitDir = repositoryAt(root)?.gitDir
  try {
    return gitDir === undefined ? '' : foreignPart(join(gitDir, 'logs/HEAD'), from, length)
  } catch {
    return ''
  }
}
