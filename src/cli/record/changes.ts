import { randomUUID } from 'node:crypto'
import { copyFileSync, existsSync, lstatSync, mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { RunFields } from '../../api/run.ts'
import { git, gitIn, ownFilters } from '../place/git.ts'

/** The state of a working tree at one moment, with uncommitted and new files. */
export interface Snapshot {
  /** The top folder of the working tree. */
  root: string
  /** Of git's tree object, which stands in `objects`. */
  tree: string
  /** A folder of git objects beside the repository's own, which stays as it was. */
  objects: string
  /** What a run says of git. */
  git: NonNullable<RunFields['git']>
}

/**
 * Takes a snapshot of the working tree around `cwd`; what is new to git is stored in the folder `objects`, made where it is
 * missing. Undefined outside of git, and where git takes longer than ten seconds.
 */
export function snapshot(cwd: string, objects: string): Snapshot | undefined {
  const root = git(cwd, 'rev-parse', '--show-toplevel')
  const own = root && git(root, 'rev-parse', '--path-format=absolute', '--git-path', 'objects')
  if (!root || !own) return undefined
  const index = join(objects, `index-${randomUUID()}`)
  try {
    mkdirSync(objects, { recursive: true, mode: 0o700 })
    const current = git(root, 'rev-parse', '--path-format=absolute', '--git-path', 'index')
    // With the copy, only files that changed since are read.
    if (current && existsSync(current)) copyFileSync(current, index)
    const tree = treeOf(root, { ...withObjects(objects, own), GIT_INDEX_FILE: index })
    return { root, tree, objects, git: gitFields(root, tree) }
  } catch {
    return undefined
  } finally {
    rmSync(index, { force: true })
  }
}

/**
 * The tree that `git add --all` and `git write-tree` would make. `git add` itself would run `git status` in each submodule,
 * with whatever filters that names.
 */
function treeOf(root: string, env: NodeJS.ProcessEnv): string {
  const filters = ownFilters(root)
  const update = (paths: string[], ...words: string[]) => {
    const input = paths.map((path) => `${path}\0`).join('')
    if (paths.length > 0) gitIn(root, { env, input }, ...filters, 'update-index', ...words, '-z', '--stdin')
  }
  // Of each path a letter, a blank, and the path: R is gone, C differs, ? is new.
  const listed = gitIn(root, { env }, ...filters, 'ls-files', '-z', '-t', '-d', '-m', '-o', '--exclude-standard')
  const found = listed.split('\0').filter(Boolean)
  // A repository inside of this one, which is no submodule yet, is listed as a folder.
  const pathOf = (line: string) => line.slice(2).replace(/\/$/, '')
  const gone = new Set(found.filter((line) => line.startsWith('R')).map(pathOf))
  for (const path of found.filter((line) => line.startsWith('C')).map(pathOf)) {
    // A folder is where a file was.
    if (
      !gone.has(path) &&
      lstatSync(join(root, path), { throwIfNoEntry: false })?.isDirectory() &&
      !existsSync(join(root, path, '.git'))
    )
      gone.add(path)
  }
  update([...gone], '--force-remove')
  update(
    found.map(pathOf).filter((path) => !gone.has(path)),
    '--add',
    '--remove',
    '--replace',
  )
  return gitIn(root, { env }, ...filters, 'write-tree').trim()
}

function gitFields(root: string, tree: string): Snapshot['git'] {
  const repository = git(root, 'remote', 'get-url', 'origin')
  const branch = git(root, 'symbolic-ref', '--quiet', '--short', 'HEAD')
  const commit = git(root, 'rev-parse', '--verify', '--quiet', 'HEAD')
  return {
    // An address may carry a password.
    ...(repository && { repository: repository.replace(/(?<=:\/\/)[^/@]*@/, '').slice(0, 512) }),
    ...(branch && { branch }),
    ...(commit && { commit }),
    dirty: tree !== git(root, 'rev-parse', '--verify', '--quiet', 'HEAD^{tree}'),
  }
}

/** What changed from one snapshot to a later one of the same working tree; moved files count once, lines of binary files not. */
export function changesBetween(before: Snapshot, after: Snapshot): NonNullable<RunFields['changes']> | undefined {
  const { root } = after
  const own = git(root, 'rev-parse', '--path-format=absolute', '--git-path', 'objects')
  if (!own) return undefined
  try {
    const env = withObjects(after.objects, own, before.objects)
    const words = ['-r', '-M', '--shortstat', '--no-ext-diff', '--no-textconv']
    const told = gitIn(root, { env }, 'diff-tree', ...words, before.tree, after.tree)
    const count = (unit: string) => Number(new RegExp(`(\\d+) ${unit}`).exec(told)?.[1] ?? 0)
    return { files: count('file'), insertions: count('insertion'), deletions: count('deletion') }
  } catch {
    return undefined
  }
}

/** New objects go to the first folder; the others are read too. */
const withObjects = (objects: string, ...others: string[]) => ({
  ...process.env,
  LC_ALL: 'C',
  GIT_OBJECT_DIRECTORY: resolve(objects),
  GIT_ALTERNATE_OBJECT_DIRECTORIES: others.map((other) => JSON.stringify(resolve(other))).join(':'),
})
