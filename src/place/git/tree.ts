import { hash } from 'node:crypto'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { firstBytes } from '../../contract/text.ts'
import type { Git } from '../../nouns/run/work-fields.ts'
import type { Snapshot } from '../../recorder/work.ts'
import { foreignNames, foreignPart, foreignText, mostBytes } from '../foreign.ts'
import { type Committed, committedAt, isDirty, pendingIn } from './committed.ts'
import {
  askIn,
  dropObjects,
  folderOf,
  type Guarded,
  guarded,
  hasTables,
  passingObjects,
  rewrite,
  textAt,
} from './guarded.ts'
import { type Repository, repositoryAt } from './repository.ts'
import { workOf } from './work-tree.ts'

/** Where a snapshot was taken, and where its objects are. */
export type TreeSource = Pick<Snapshot, 'root' | 'objects'>

/**
 * Takes a snapshot of the working tree around `cwd`. Stores objects that git lacks in the folder `objects`, which it
 * creates if needed and which makes the next snapshot faster. Returns undefined outside git, if the tree cannot be taken,
 * and if all of it takes longer than `withinMs` milliseconds.
 */
export function snapshot(cwd: string, objects: string, withinMs = 10_000): Snapshot | undefined {
  try {
    return snapshotOrFault(cwd, objects, withinMs)
  } catch {
    return undefined
  }
}

/** The same, but throws an Error that says why the tree cannot be taken. */
export function snapshotOrFault(cwd: string, objects: string, withinMs = 10_000): Snapshot | undefined {
  const until = performance.now() + withinMs
  const takenAt = Date.now()
  const repository = repositoryAt(cwd)
  if (!repository) return undefined
  const of = guarded(repository, objects, until)
  const { tree, nested } = workOf(of)
  const committed = committedAt(of, nested)
  if (hasTables(of)) keepReflog(of)
  const log = statSync(reflogIn(of, objects), { throwIfNoEntry: false })?.size ?? 0
  noteLinked(of, log)
  return {
    root: of.root,
    tree,
    ...(committed && { commitTree: committed.tree }),
    objects,
    log,
    takenAt,
    ...pendingIn(of),
    git: gitFields(of, tree, committed),
  }
}

/** Why git does not show the working tree around `cwd` within that time; undefined if it does, and outside git. */
export function gitFault(cwd: string, withinMs?: number): string | undefined {
  const objects = passingObjects()
  try {
    snapshotOrFault(cwd, objects, withinMs)
    return undefined
  } catch (error) {
    return faultWords(error as Error)
  } finally {
    dropObjects(objects)
  }
}

function faultWords({ message, code }: NodeJS.ErrnoException): string {
  if (code === 'ETIMEDOUT') return 'it takes too long'
  if (code === 'ENOBUFS') return 'git lists too many files'
  return /^(?:fatal|error): (.*)/m.exec(message)?.[1] ?? message
}

/** The git fields of a check or run for the working tree around `cwd` as it is now; empty outside git. */
export function gitStateOf(cwd: string): Pick<Git, 'branch' | 'commit' | 'commitTree' | 'tree' | 'dirty'> {
  const objects = passingObjects()
  try {
    const now = snapshot(cwd, objects)
    const { branch, commit, tree, dirty } = now?.git ?? {}
    return { branch, commit, commitTree: now?.commitTree, tree, dirty }
  } finally {
    dropObjects(objects)
  }
}

function gitFields(of: Guarded, tree: string, committed: Committed | undefined): Snapshot['git'] {
  const repository = of.settings['remote.origin.url']
  const branch = branchOf(of)
  return {
    // A URL may contain a password, and that an @.
    ...(repository && { repository: firstBytes(repository.replace(/(?<=:\/\/)[^/]*@/, ''), 512) }),
    ...(branch && { branch: branchName(branch) }),
    ...(committed && { commit: committed.commit }),
    tree,
    ...(committed && { dirty: isDirty(of, committed, tree) }),
  }
}

/** The name of a branch as the ledger takes it, which is shorter than git allows. */
export const branchName = (name: string): string => firstBytes(name, 255)

/** The branch at HEAD; undefined if HEAD is detached. */
function branchOf(of: Guarded): string | undefined {
  if (hasTables(of)) return askIn(of, 'symbolic-ref', '--quiet', '--short', 'HEAD')
  return /^ref: refs\/heads\/([^\r\n]+)/.exec(foreignText(join(of.gitDir, 'HEAD')) ?? '')?.[1]
}

// A snapshot writes the reflog of such a repository to a file as git does without tables. Like that, it only grows.

const keptReflog = (of: Repository, objects: string) => join(folderOf(of, objects), 'reflog')

function reflogIn(of: Repository, objects: string): string {
  const kept = keptReflog(of, objects)
  return existsSync(kept) ? kept : join(of.gitDir, 'logs/HEAD')
}

/** Stays as it is where git lists nothing, as on a branch without a commit. */
function keepReflog(of: Guarded): void {
  const listed = askIn(of, 'log', '--walk-reflogs', '--no-show-signature', '--format=%H <%ge>%x09%gs', 'HEAD')
  if (listed === undefined) return
  const entries = listed.split('\n').reverse()
  const idOf = (line: string | undefined) => line?.split(' ', 1)[0] ?? none
  rewrite(keptReflog(of, of.objects), entries.map((line, index) => `${idOf(entries[index - 1])} ${line}\n`).join(''))
}

const none = '0'.repeat(40)

// A session may remove the linked working tree in which it works. The objects stay in the repository, but git deletes the
// reflog. So a snapshot notes where the repository is, and copies the reflog.

const noteOf = ({ root, objects }: TreeSource) => {
  const folder = join(objects, 'linked', hash('sha256', root).slice(0, 16))
  return { folder, repository: join(folder, 'repository'), log: join(folder, 'log') }
}

/** Notes what outlives a linked working tree, with the first `log` bytes of its reflog of HEAD. */
function noteLinked(of: Guarded, log: number): void {
  const { gitDir, commonDir, ...place } = of
  if (gitDir === commonDir) return
  const note = noteOf(place)
  if (statSync(note.log, { throwIfNoEntry: false })?.size === log) return
  mkdirSync(note.folder, { recursive: true, mode: 0o700 })
  rewrite(note.repository, commonDir)
  if (log > mostBytes) return
  const text = foreignPart(reflogIn(of, place.objects), 0, log)
  // Where it is not UTF-8, the copy would have other lines at the same places.
  if (Buffer.byteLength(text) === log) rewrite(note.log, text)
}

/** The repository of a snapshot or, if the linked working tree was removed, the one that it belonged to. */
export function repositoryBehind(place: TreeSource): Repository | undefined {
  return repositoryAt(place.root) ?? mainOf(place)
}

function mainOf(place: TreeSource): Repository | undefined {
  const common = isGone(place) ? textAt(noteOf(place).repository) : undefined
  const main = common === undefined ? undefined : repositoryAt(dirname(common))
  return main?.commonDir === common ? main : undefined
}

/** The top folder around `cwd` if it is another working tree of the repository of `place`, or that one was removed. */
export function otherTreeAt(cwd: string, place: TreeSource): string | undefined {
  const [there, here] = [repositoryAt(cwd), repositoryBehind(place)]
  const isOther = there && there.commonDir === here?.commonDir && (there.root !== here.root || isGone(place))
  return isOther ? there.root : undefined
}

/** The commits on which working trees of the repository are without a branch. */
export function headsOf(place: TreeSource): string[] {
  const { commonDir } = repositoryBehind(place) ?? {}
  if (commonDir === undefined) return []
  const heads = [commonDir, ...linkedIn(commonDir)].flatMap((folder) => lineIn(join(folder, 'HEAD')))
  return heads.filter((head) => /^[0-9a-f]{40,64}$/.test(head))
}

/** The top folders of the working trees of the repository. */
export function rootsOf(place: TreeSource): string[] {
  const { commonDir } = repositoryBehind(place) ?? {}
  if (commonDir === undefined) return []
  const main = basename(commonDir) === '.git' ? [dirname(commonDir)] : []
  // Git may name the `.git` of a working tree from that folder.
  const linked = linkedIn(commonDir).flatMap((folder) =>
    lineIn(join(folder, 'gitdir')).map((path) => dirname(resolve(folder, path))),
  )
  return [...main, ...linked]
}

/** How many working trees of a repository to look at. */
const mostTrees = 200

/** The folders with the data of its linked working trees. */
const linkedIn = (commonDir: string): string[] =>
  foreignNames(join(commonDir, 'worktrees'), mostTrees).map((name) => join(commonDir, 'worktrees', name))

/** The line in a file of git; none if that is no such file. */
function lineIn(path: string): string[] {
  try {
    const line = foreignText(path)?.trimEnd()
    return line ? [line] : []
  } catch {
    return []
  }
}

/** Whether the working tree of a snapshot was removed. */
export const isGone = ({ root }: Pick<Snapshot, 'root'>): boolean =>
  statSync(root, { throwIfNoEntry: false }) === undefined

/** The file with the reflog of HEAD in the working tree of a snapshot. */
export function reflogOf(place: TreeSource): string | undefined {
  const repository = repositoryAt(place.root)
  if (repository) return reflogIn(repository, place.objects)
  return isGone(place) ? noteOf(place).log : undefined
}
