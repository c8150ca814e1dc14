import { randomUUID } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { RunFields } from '../../api/run.ts'
import { git, gitIn } from '../place/git.ts'

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
    const env = { ...withObjects(objects, own), GIT_INDEX_FILE: index }
    gitIn(root, env, 'add', '--all')
    const tree = gitIn(root, env, 'write-tree')
    return { root, tree, objects, git: gitFields(root, tree) }
  } catch {
    return undefined
  } finally {
    rmSync(index, { force: true })
  }
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
    const told = gitIn(root, env, 'diff-tree', '-r', '-M', '--shortstat', before.tree, after.tree)
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
