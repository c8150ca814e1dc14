import { randomUUID } from 'node:crypto'
import {
  accessSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { RunFields } from '../../api/run.ts'
import { git, gitEnv, gitIn, ownFilters } from './git.ts'

/** The state of a working tree at one moment, with uncommitted and new files. */
export interface Snapshot {
  /** The top folder of the working tree. */
  root: string
  /** The id of git's tree object, which is stored in `objects`. */
  tree: string
  /** A folder of git objects outside the repository, which stays untouched. */
  objects: string
  /** The length of git's reflog of HEAD at that moment, in bytes. It tells later which commits are new. */
  log?: number
  /** The newest stash at that moment, shared by all working trees. */
  stash?: string
  /** The `git` fields of a run. */
  git: NonNullable<RunFields['git']>
}

/**
 * Takes a snapshot of the working tree around `cwd`. Stores objects that git lacks in the folder `objects`, which it
 * creates if needed and which makes the next snapshot faster. Returns undefined outside git, and if git takes longer
 * than `withinMs` milliseconds.
 */
export function snapshot(cwd: string, objects: string, withinMs = 10_000): Snapshot | undefined {
  const until = performance.now() + withinMs
  const wanted = ['objects', 'index', 'logs/HEAD', 'logs/refs/stash'].flatMap((path) => ['--git-path', path])
  const paths = git(cwd, 'rev-parse', '--path-format=absolute', '--show-toplevel', ...wanted)
  const [root, own, index, log, stashes] = paths?.split('\n') ?? []
  if (!root || !own || !index || !log || !stashes) return undefined
  try {
    mkdirSync(objects, { recursive: true, mode: 0o700 })
    const env = { ...gitEnv(), ...withObjects(objects, own) }
    const tree = treeOf({ root, env, objects, index, filters: ownFilters(root), until })
    const size = statSync(log, { throwIfNoEntry: false })?.size ?? 0
    const stash = newestIn(stashes)
    return { root, tree, objects, log: size, ...(stash && { stash }), git: gitFields(root, tree, env) }
  } catch {
    return undefined
  }
}

/** The commit in the last line of a reflog. */
function newestIn(log: string): string | undefined {
  const last = existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n').at(-1) : undefined
  return /^[0-9a-f]+ ([0-9a-f]+) /.exec(last ?? '')?.[1]
}

/** The git fields of a check or run for the working tree around `cwd` as it is now; empty outside git. */
export function gitStateOf(cwd: string): Pick<Snapshot['git'], 'branch' | 'commit' | 'tree' | 'dirty'> {
  const objects = mkdtempSync(join(tmpdir(), 'conduct-objects-'))
  try {
    const { branch, commit, tree, dirty } = snapshot(cwd, objects)?.git ?? {}
    return { branch, commit, tree, dirty }
  } finally {
    rmSync(objects, { recursive: true, force: true })
  }
}

/** What the steps of making a tree share. */
interface Making {
  root: string
  env: NodeJS.ProcessEnv
  objects: string
  /** The repository's own index. */
  index: string
  filters: string[]
  /** The deadline, in the time of `performance.now()`. */
  until: number
}

/** The tree of all files on disk that git tracks or does not ignore, as `git add --all` and `git write-tree` would make it. */
function treeOf(making: Making): string {
  const { objects, index } = making
  const scratch = join(objects, `index-${randomUUID()}`)
  try {
    const state = stampOf(index)
    const isKept = copyKept(objects, scratch, state)
    if (!isKept) copyIndex(index, scratch)
    let tree = writtenTree(making, scratch)
    if (isKept && hasIgnored(making, scratch)) {
      // A new file may be ignored by now, or an ignored one tracked. Only git's own index knows.
      rmSync(scratch, { force: true })
      copyIndex(index, scratch)
      tree = writtenTree(making, scratch)
    }
    keepIndex(objects, scratch, state)
    return tree
  } finally {
    rmSync(scratch, { force: true })
  }
}

/** Identifies a state of git's own index. */
function stampOf(index: string): string {
  const stat = statSync(index, { throwIfNoEntry: false, bigint: true })
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeNs}` : 'none'
}

// The index of the last snapshot also lists files that are new to git, so git reads only what has changed since.

const keptIndex = (objects: string) => ({ index: join(objects, 'index'), stamp: join(objects, 'index.of') })

/** Copies the index of the last snapshot, unless git's own index has changed since. */
function copyKept(objects: string, to: string, state: string): boolean {
  const kept = keptIndex(objects)
  if (!existsSync(kept.stamp) || readFileSync(kept.stamp, 'utf8') !== state) return false
  return copyIndex(kept.index, to)
}

function keepIndex(objects: string, from: string, state: string) {
  if (!existsSync(from)) return
  const kept = keptIndex(objects)
  // The order matters: an index beside the stamp of another state is never used.
  rmSync(kept.stamp, { force: true })
  renameSync(from, kept.index)
  writeFileSync(kept.stamp, state)
}

/** Copies an index with its modification time, because git re-reads files that changed at that very moment. */
function copyIndex(from: string, to: string): boolean {
  const stat = statSync(from, { throwIfNoEntry: false })
  if (!stat) return false
  copyFileSync(from, to)
  utimesSync(to, stat.atime, new Date(Math.floor(stat.mtimeMs)))
  return true
}

const hasIgnored = ({ root, env, filters }: Making, index: string) =>
  gitIn(
    root,
    { env: { ...env, GIT_INDEX_FILE: index } },
    ...filters,
    'ls-files',
    '-z',
    '-c',
    '-i',
    '--exclude-standard',
  ) !== ''

/** `git add` would run `git status` in each submodule, with whatever filters it configures. */
function writtenTree({ root, env: given, filters, until }: Making, index: string): string {
  const env = { ...given, GIT_INDEX_FILE: index }
  const run = (words: string[], input = '') =>
    gitIn(root, { env, input, encoding: 'latin1', timeoutMs: until - performance.now() }, ...filters, ...words)
  const update = (paths: string[], ...words: string[]) => {
    const input = paths.map((path) => `${path}\0`).join('')
    if (paths.length > 0) run(['update-index', ...words, '-z', '--stdin'], input)
  }
  // Each entry is a letter, a space and a path: R means removed, C changed, ? new.
  const listed = run(['ls-files', '-z', '-t', '-d', '-m', '-o', '--exclude-standard'])
  const found = listed.split('\0').filter(Boolean)
  // Git lists a nested repository that is not a submodule yet as a folder.
  const pathOf = (line: string) => line.slice(2).replace(/\/$/, '')
  const gone = new Set(found.filter((line) => line.startsWith('R')).map(pathOf))
  for (const path of found.filter((line) => line.startsWith('C')).map(pathOf)) {
    if (!gone.has(path) && isPlainFolder(root, path)) gone.add(path)
  }
  update([...gone], '--force-remove')
  const kept = found.filter((line) => !gone.has(pathOf(line)))
  const add = (lines: string[]) => update(lines.map(pathOf), '--add', '--remove', '--replace')
  try {
    add(kept)
  } catch (error) {
    const possible = kept.filter((line) => !isBeyondGit(root, line))
    if (possible.length === kept.length) throw error
    add(possible)
  }
  return run(['write-tree']).trim()
}

/** Whether git can add a new file to no tree: it may not be read, or is a repository without a commit. */
function isBeyondGit(root: string, line: string): boolean {
  const path = Buffer.concat([Buffer.from(`${root}/`), Buffer.from(line.slice(2), 'latin1')])
  if (!line.startsWith('? ')) return false
  if (line.endsWith('/')) return git(path.toString(), 'rev-parse', '--verify', '--quiet', 'HEAD') === undefined
  try {
    accessSync(path, constants.R_OK)
    return false
  } catch {
    return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true
  }
}

/** Whether a folder has replaced a file and is not a repository of its own. The path is in latin1, as git wrote it. */
function isPlainFolder(root: string, path: string) {
  const at = (name: string) => Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name, 'latin1')])
  return lstatSync(at(path), { throwIfNoEntry: false })?.isDirectory() && !existsSync(at(`${path}/.git`))
}

function gitFields(root: string, tree: string, env: NodeJS.ProcessEnv): Snapshot['git'] {
  const repository = git(root, 'remote', 'get-url', 'origin')
  const branch = git(root, 'symbolic-ref', '--quiet', '--short', 'HEAD')
  const [commit, committed] = git(root, 'rev-parse', 'HEAD', 'HEAD^{tree}')?.split('\n') ?? []
  return {
    // A URL may contain a password, and that an @.
    ...(repository && { repository: repository.replace(/(?<=:\/\/)[^/]*@/, '').slice(0, 512) }),
    ...(branch && { branch }),
    ...(commit && { commit }),
    tree,
    ...(committed && { dirty: isDirty(root, committed, tree, env) }),
  }
}

/** Whether tracked files differ from those of the commit. A new file counts as tracked once it is staged. */
function isDirty(root: string, committed: string, tree: string, env: NodeJS.ProcessEnv): boolean {
  if (tree === committed) return false
  const plain = ['-r', '--no-renames', '--name-only', '-z']
  if (gitIn(root, { env }, 'diff-tree', ...plain, '--diff-filter=a', committed, tree) !== '') return true
  return gitIn(root, {}, 'diff-index', '--cached', ...plain.slice(1), '--diff-filter=A', committed) !== ''
}

/** Git writes new objects to the first folder and also reads the others. */
export const withObjects = (objects: string, ...others: string[]) => ({
  LC_ALL: 'C',
  GIT_OBJECT_DIRECTORY: resolve(objects),
  GIT_ALTERNATE_OBJECT_DIRECTORIES: others.map((other) => JSON.stringify(resolve(other))).join(':'),
})
