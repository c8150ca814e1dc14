import { accessSync, constants, existsSync, lstatSync, rmSync } from 'node:fs'
import { bytesIn, type Guarded, gitIn, guarded } from './guarded.ts'
import { repositoryIn } from './repository.ts'
import { copyIndex, copyScratch, type IndexFacts, keepIndex, type Scratch, withIndex } from './scratch.ts'

/** Another repository inside a working tree, such as a checked-out submodule. */
export interface Nested {
  /** Its folder, from the top of the working tree around it, in latin1. */
  path: string
  guarded: Guarded
  work: WorkFiles
}

/** The files of a working tree. */
interface WorkFiles {
  /** The id of their git tree. */
  tree: string
  nested: Nested[]
}

/** The most repositories below each other, and beside each other in one. */
const most = { depth: 10, nested: 200 }

/** The most bytes of changed files for each millisecond that is left. Git could not read more. */
const bytesPerMs = 100_000

/**
 * The tree of all files on disk that git tracks or does not ignore, as `git add --all` and `git write-tree` would make
 * it, except that another repository stands in it with the tree of its own files and never with its commit. Throws an
 * Error if it cannot be taken.
 */
export function workOf(guarded: Guarded, depth = 0): WorkFiles {
  const taken = takeWork(guarded, depth, true)
  // A new file may be ignored by now, or an ignored one tracked. Only git's own index knows.
  return taken ?? takeWork(guarded, depth, false) ?? fail('git lists ignored files')
}

function fail(words: string): never {
  throw new Error(words)
}

/** Undefined if it continues the index of the last snapshot, and that has ignored files. */
function takeWork(guarded: Guarded, depth: number, mayContinue: boolean): WorkFiles | undefined {
  const scratch = copyScratch(guarded, mayContinue)
  try {
    const listing = listFiles(guarded, scratch)
    if (scratch.tree !== undefined && isEmpty(listing)) return { tree: scratch.tree, nested: [] }
    const facts = scratch.facts ?? { links: listing.links, hidden: listing.hidden }
    const nested = nestedIn(guarded, [...facts.links, ...listing.strangers], depth)
    const isNested = new Set(nested.map(({ path }) => path))
    const missing = update(guarded, scratch, listing, { ...facts, isNested })
    if (scratch.facts && changesIgnores(listing) && hasIgnored(guarded, scratch)) return undefined
    const tree = nested.length > 0 ? joinedTree(guarded, scratch, nested) : treeIn(guarded, scratch.path)
    const isPlain = facts.links.length + nested.length + missing.length === 0
    keepIndex(guarded, scratch, { links: facts.links, hidden: missing }, isPlain ? tree : undefined)
    return { tree, nested }
  } finally {
    for (const path of [scratch.path, `${scratch.path}.lock`]) rmSync(path, { force: true })
  }
}

/** Whether the files are as the index has them. Those of other repositories are unknown. */
const isEmpty = ({ removed, changed, fresh, strangers }: Listing) =>
  removed.size + changed.length + fresh.length + strangers.length === 0

/** Whether what git ignores may have changed. */
const changesIgnores = ({ removed, changed, fresh }: Listing) =>
  [...removed, ...changed, ...fresh].some((path) => /(?:^|\/)\.gitignore$/.test(path))

/** The repositories in these folders. A linked working tree of the same repository is work of its own. */
function nestedIn({ root, commonDir, objects, until }: Guarded, paths: string[], depth: number): Nested[] {
  const found = paths.flatMap((path) => {
    const repository = repositoryIn(Buffer.from(`${root}/${path}`, 'latin1').toString('utf8'))
    return repository && repository.commonDir !== commonDir ? [{ path, repository }] : []
  })
  if (found.length > most.nested || (found.length > 0 && depth >= most.depth))
    fail('it has too many repositories in it')
  return found.map(({ path, repository }) => {
    const inner = guarded(repository, objects, until)
    return { path, guarded: inner, work: workOf(inner, depth + 1) }
  })
}

/** Brings an index up to date with the disk. Returns the hidden entries that are not on disk. */
function update(
  guarded: Guarded,
  { path: index }: Scratch,
  { removed, changed, fresh }: Listing,
  { hidden, isNested }: IndexFacts & { isNested: Set<string> },
): string[] {
  const { root } = guarded
  const at = (path: string) => Buffer.from(`${root}/${path}`, 'latin1')
  const set = (paths: string[], ...words: string[]) => {
    if (paths.length === 0) return
    const input = Buffer.from(paths.map((path) => `${path}\0`).join(''), 'latin1')
    gitIn(guarded, ['update-index', ...words, '-z', '--stdin'], { input, env: { GIT_INDEX_FILE: index } })
  }
  const isThere = (path: string) => lstatSync(at(path), { throwIfNoEntry: false }) !== undefined
  const shown = hidden.filter(isThere)
  set(shown, '--no-assume-unchanged')
  const replaced = changed.filter((path) => isPlainFolder(at(path)))
  set([...removed, ...replaced], '--force-remove')
  const gone = new Set(replaced)
  const written = [...new Set([...changed, ...shown, ...fresh])].filter(
    (path) => !gone.has(path) && !isNested.has(path),
  )
  refuseMuch(guarded, written.map(at))
  const add = (paths: string[]) => set(paths, '--add', '--remove', '--replace')
  try {
    add(written)
  } catch (error) {
    const isNew = new Set(fresh)
    const possible = written.filter((path) => !isNew.has(path) || isReadable(at(path)))
    if (possible.length === written.length) throw error
    add(possible)
  }
  return hidden.filter((path) => !shown.includes(path))
}

/** Throws an Error if git would not be done with these files in the time that is left. */
function refuseMuch({ until }: Guarded, paths: Buffer[]) {
  let left = (until - performance.now()) * bytesPerMs
  for (const path of paths) {
    left -= lstatSync(path, { throwIfNoEntry: false })?.size ?? 0
    if (left < 0) fail('its changed files are too large')
  }
}

/** Whether git can add a new file, which the user may not be allowed to read. */
function isReadable(path: Buffer): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return lstatSync(path, { throwIfNoEntry: false })?.isFile() !== true
  }
}

/** Whether a folder has replaced a file and is not a repository of its own. */
const isPlainFolder = (path: Buffer) =>
  lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true && !existsSync(Buffer.concat([path, dotGit]))
const dotGit = Buffer.from('/.git')

const hasIgnored = (guarded: Guarded, { path }: Scratch) => {
  const words = ['ls-files', '-z', '-c', '-i', '--exclude-standard']
  return bytesIn(guarded, words, { env: { GIT_INDEX_FILE: path } }).length > 0
}

/** The tree of an index. Objects need not exist: a partial clone has not all of them. */
const treeIn = (guarded: Guarded, index: string): string =>
  gitIn(guarded, ['write-tree', '--missing-ok'], { env: { GIT_INDEX_FILE: index } })

function joinedTree(guarded: Guarded, scratch: Scratch, nested: Nested[]): string {
  const trees = nested.map(({ path, work: { tree } }) => ({ path, tree }))
  return withIndex(guarded, (index) => {
    copyIndex(scratch.path, index)
    return treeWith(guarded, index, trees)
  })
}

/** The tree of an index with these trees in place of what it has at their paths. Changes the index. */
export function treeWith(guarded: Guarded, index: string, trees: { path: string; tree: string }[]): string {
  const env = { GIT_INDEX_FILE: index }
  const input = Buffer.from(trees.map(({ path }) => `${path}\0`).join(''), 'latin1')
  gitIn(guarded, ['update-index', '--force-remove', '-z', '--stdin'], { input, env })
  for (const { path, tree } of trees) {
    const prefix = Buffer.from(path, 'latin1').toString('utf8')
    gitIn(guarded, ['read-tree', '--no-sparse-checkout', `--prefix=${prefix}/`, tree], { env })
  }
  return treeIn(guarded, index)
}

/** What git says about the files of a working tree. Paths are in latin1, because they may have any bytes. */
interface Listing {
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

/** The most bytes of a list of files: enough for some million. */
const mostListed = 268_435_456

/** The most changed and new files for each millisecond that is left. Git could not store more. */
const filesPerMs = 20

/**
 * Compares an index with the files on disk. An index whose facts are unknown is listed as a whole. Throws an Error if
 * more has changed than git could store in the time that is left.
 */
function listFiles(guarded: Guarded, { path, facts }: Scratch): Listing {
  const whole = facts === undefined ? ['-c'] : []
  const words = ['ls-files', '-z', '-v', '-s', ...whole, '-d', '-m', '-o', '--exclude-standard']
  const listed = bytesIn(guarded, words, { env: { GIT_INDEX_FILE: path }, mostBytes: mostListed })
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
