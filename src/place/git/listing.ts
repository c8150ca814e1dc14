import { bytesIn, type Guarded } from './guarded.ts'
import type { Scratch } from './scratch.ts'

/** What git says about the files of a working tree. Paths are in latin1, because they may have any bytes. */
export interface Listing {
  /** Files of the index that are not on disk. */
  removed: Set<string>
  changed: string[]
  /** New files that git does not ignore. */
  fresh: string[]
  /** Folders of other repositories that are not in the index. */
  strangers: string[]
  /** Entries that are commits of other repositories; only of an index whose facts are unknown. */
  links: string[]
  /** Entries marked `assume-unchanged`; only of an index whose facts are unknown. */
  hidden: string[]
}

/** The most changed and new files for each millisecond that is left. Git could not store more. */
const filesPerMs = 20

/**
 * Compares an index with the files on disk. An index whose facts are unknown is listed as a whole. Throws an Error if
 * more has changed than git could store in the time that is left.
 */
export function listFiles(guarded: Guarded, { path, facts }: Scratch): Listing {
  const whole = facts === undefined ? ['-c'] : []
  const words = ['ls-files', '-z', '-v', '-s', ...whole, '-d', '-m', '-o', '--exclude-standard']
  const listed = bytesIn(guarded, words, { env: { GIT_INDEX_FILE: path } })
  const listing: Listing = { removed: new Set(), changed: [], fresh: [], strangers: [], links: [], hidden: [] }
  let left = (guarded.until - performance.now()) * filesPerMs
  for (let at = 0; at < listed.length; ) {
    const end = listed.indexOf(0, at)
    if (add(listing, listed, at, end)) left -= 1
    if (left < 0) throw new Error('it has too many changed files')
    at = end + 1
  }
  return { ...listing, changed: listing.changed.filter((one) => !listing.removed.has(one)) }
}

const [space, tab, commit] = [' '.charCodeAt(0), '\t'.charCodeAt(0), Buffer.from('160000 ')]

/**
 * Adds an entry: a letter and a space, for an entry of the index also mode, id and stage, then the path. Most entries
 * are unchanged files, which need no text. Returns whether it was another one.
 */
function add(listing: Listing, listed: Buffer, from: number, to: number): boolean {
  const tag = String.fromCharCode(listed[from] ?? space)
  if (tag === '?') {
    const path = listed.toString('latin1', from + 2, to)
    if (path.endsWith('/')) listing.strangers.push(path.slice(0, -1))
    else listing.fresh.push(path)
    return true
  }
  const isLink = listed.compare(commit, 0, commit.length, from + 2, from + 2 + commit.length) === 0
  const isHidden = tag !== tag.toUpperCase()
  if (!isLink && !isHidden && tag !== 'R' && tag !== 'C') return false
  const path = listed.toString('latin1', listed.indexOf(tab, from) + 1, to)
  if (tag === 'R') listing.removed.add(path)
  else if (tag === 'C') listing.changed.push(path)
  else if (isHidden) listing.hidden.push(path)
  if (isLink && tag !== 'R' && tag !== 'C') listing.links.push(path)
  return true
}
