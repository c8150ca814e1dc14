import { mailOf } from '../../contract/person.ts'
import type { RunInput } from '../../nouns/run/fields.ts'
import type { Snapshot } from '../../recorder/work.ts'
import { foreignPart } from '../foreign.ts'
import { openObjects } from './diff.ts'
import { askIn, authorOf, bytesIn, type Guarded, gitIn } from './guarded.ts'
import { withIndex } from './scratch.ts'
import { branchName, reflogOf, type TreeSource } from './tree.ts'

/**
 * The words with which git's reflog records a new commit. A checkout, a reset or a fast-forward moves HEAD to an
 * existing commit, so none of them counts.
 */
export const making =
  /^(?:commit|cherry-pick|revert|am|merge|pull|rebase)\b(?!.*(?:Fast-forward|\((?:start|finish|abort)\)|: returning to ))/s

/** Whether a commit is one's own, by the mail address under which git made it. */
export type IsOwn = (mail: string | undefined) => boolean

/**
 * Whether git commits under that address in a folder: its settings, the environment, as `given`, or one of these commands
 * names it. True for every address if the settings name none.
 */
export function isOwnIn(cwd: string, given: string | undefined, commands: readonly string[] = []): IsOwn {
  let settings: { mail: string | undefined } | undefined
  const isNamed = (mail: string) =>
    mail === given?.toLowerCase() || commands.some((line) => line.toLowerCase().includes(mail))
  return (mail) => {
    if (mail === undefined || isNamed(mail)) return true
    settings ??= { mail: mailOf(authorOf(cwd)) }
    return settings.mail === undefined || settings.mail === mail
  }
}

/**
 * The own commits made in a working tree while its reflog of HEAD grew from `from` bytes to `to` bytes, oldest first.
 * Commits that were only fetched or checked out are not included, nor those that a rebase copied and that were written
 * before `since`, in milliseconds since 1970. Empty if there is no such reflog.
 */
export function commitsMade(place: TreeSource, from: number, to: number, isOwn: IsOwn, since = 0): string[] {
  const made = entriesOf(place, from, to).filter(({ mail, what }) => making.test(what) && isOwn(mail))
  const copies = made.filter(({ what }) => copying.test(what)).map(({ id }) => id)
  const earlier = since === 0 ? [] : writtenBefore(place, copies, since)
  return [...new Set(made.map(({ id }) => id)).difference(new Set(earlier))]
}

const copying = /^(?:rebase|pull)\b.*\(pick\)/s

function writtenBefore(place: TreeSource, commits: string[], at: number): string[] {
  if (commits.length === 0) return []
  const words = ['log', '--no-walk=unsorted', '--ignore-missing', '--no-show-signature', '--format=%H %at']
  const listed = askOf(place, ...words, ...commits) ?? ''
  return listed.split('\n').flatMap((line) => {
    const [id, seconds] = line.split(' ')
    // A whole second may be that of `at`.
    return id && (Number(seconds) + 1) * 1000 <= at ? [id] : []
  })
}

/**
 * Those of the commits that nobody else wrote before, oldest first. A cherry-pick and a rebase keep author and date; whoever
 * commits with another author does so at that time.
 */
export function authoredAmong(place: TreeSource, commits: string[], isOwn: IsOwn): string[] {
  if (commits.length === 0) return []
  const words = ['log', '--no-walk=unsorted', '--ignore-missing', '--no-show-signature', '--format=%H %at %ct <%ae>']
  const listed = askOf(place, ...words, ...commits) ?? ''
  return listed.split('\n').flatMap((line) => {
    const [id, authored, committed, who] = line.split(' ')
    return id && (authored === committed || isOwn(mailOf(who))) ? [id] : []
  })
}

const moving = /^(?:checkout\b|(?:merge|pull)\b.*Fast-forward$)/s

/** How HEAD moved. */
interface Moves {
  /** Whether only by checkouts and fast-forwards after the last commit that was made here. */
  isCheckout: boolean
  /** That commit, and the branch that HEAD was on then; without one, HEAD was detached or is still there. */
  made?: { commit: string; branch?: string; isLeft: boolean }
}

/** How HEAD moved while its reflog grew. A fast-forward to a commit that was made elsewhere for it makes that commit here. */
export function movesOf(
  place: TreeSource,
  from: number,
  to: number,
  { isOwn, isMade }: { isOwn: IsOwn; isMade: (commit: string) => boolean },
): Moves {
  let made: Moves['made']
  let moves = 0
  for (const { id, mail, what } of entriesOf(place, from, to)) {
    if (making.test(what) || (/Fast-forward$/.test(what) && isMade(id))) {
      if (!isOwn(mail)) return { isCheckout: false }
      made = { commit: id, isLeft: false }
      moves = 0
    } else if (moving.test(what)) {
      if (made && !made.isLeft) made = leftBy(made.commit, what)
      moves++
    } else return { isCheckout: false }
  }
  return { isCheckout: moves > 0, ...(made && { made }) }
}

/** The commit, after HEAD moved from it. Git names the branch that it left, or a commit if HEAD was detached. */
function leftBy(commit: string, what: string): NonNullable<Moves['made']> {
  const branch = /^checkout: moving from (\S+) to /.exec(what)?.[1]
  if (branch === undefined) return { commit, isLeft: false }
  return { commit, isLeft: true, ...(!/^[0-9a-f]{40,64}$/.test(branch) && { branch: branchName(branch) }) }
}

/** A step of HEAD: from which commit to which one, by whom, what git says of it, and where its line ends. */
export interface HeadStep {
  old: string
  id: string
  mail: string | undefined
  what: string
  /** The length of the reflog with it, in bytes. */
  end: number
}

/** The steps of HEAD in a part of the reflog. */
export function entriesOf(place: TreeSource, from: number, to: number): HeadStep[] {
  let end = from
  return textOf(place, from, to - from)
    .split('\n')
    .flatMap((line) => {
      end += Buffer.byteLength(line) + 1
      const [, old = '', id, who = '', what] =
        /^([0-9a-f]+) ([0-9a-f]+) ([^\t]*?)(?: \d+ [-+]\d+)?\t(.*)$/s.exec(line) ?? []
      return id && what ? [{ old, id, mail: mailOf(who), what, end }] : []
    })
}

/** A part of the reflog, of at most 1 MiB. */
function textOf(place: TreeSource, from: number, length: number): string {
  try {
    const log = reflogOf(place)
    return log === undefined ? '' : foreignPart(log, from, length)
  } catch {
    return ''
  }
}

/**
 * What changed between two snapshots of the same working tree. A renamed file counts once; lines of binary files do not
 * count.
 */
export function changesBetween(before: Snapshot, after: Snapshot): NonNullable<RunInput['changes']> | undefined {
  try {
    const stat = diffTrees(before, after, '-M', '--shortstat')
    const count = (unit: string) => Number(new RegExp(`(\\d+) ${unit}`).exec(stat)?.[1] ?? 0)
    return { files: count('file'), insertions: count('insertion'), deletions: count('deletion') }
  } catch {
    return undefined
  }
}

/** The output of `git diff-tree` for two snapshots of one working tree. Throws if git fails. */
export function diffTrees(before: Snapshot, after: Snapshot, ...words: string[]): string {
  const env = { GIT_ALTERNATE_OBJECT_DIRECTORIES: JSON.stringify(before.objects) }
  const all = ['diff-tree', '-r', '--no-ext-diff', '--no-textconv', ...words, before.tree, after.tree]
  return bytesIn(openedAt(after), all, { env }).toString('utf8')
}

/** The output of git in the repository of a snapshot; undefined if git fails. */
export function askOf(now: TreeSource, ...words: string[]): string | undefined {
  try {
    return askIn(openedAt(now), ...words)
  } catch {
    return undefined
  }
}

/**
 * The tree of a snapshot with these files, by path, with the mode and id of each; a mode of zeros removes it. It is stored
 * among the objects of the snapshot. Throws if git fails.
 */
export function treeWithFiles(
  { tree, ...place }: TreeSource & Pick<Snapshot, 'tree'>,
  files: Map<string, string>,
): string {
  if (files.size === 0) return tree
  const at = openedAt(place)
  return withIndex(at, (index) => {
    const options = { env: { GIT_INDEX_FILE: index } }
    gitIn(at, ['read-tree', '--no-sparse-checkout', tree], options)
    const input = [...files].map(([path, file]) => `${file}\t${path}\0`).join('')
    gitIn(at, ['update-index', '--replace', '-z', '--index-info'], { ...options, input })
    return gitIn(at, ['write-tree', '--missing-ok'], options)
  })
}

/** What stands for a file that such a tree lacks. Its id is as long as all others of the repository. */
export const gone = ({ tree }: Pick<Snapshot, 'tree'>) => `000000 ${'0'.repeat(tree.length)}`

export const openedAt = ({ root, objects }: TreeSource): Guarded => openObjects(root, objects, 10_000)
