import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Snapshot } from '../../recorder/work.ts'
import { foreignEnd, foreignText } from '../foreign.ts'
import { askIn, type Guarded, hasTables, stored } from './guarded.ts'

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
