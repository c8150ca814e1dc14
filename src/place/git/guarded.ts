import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { devNull, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { standFor } from '../../system/disk.ts'
import { homeOf } from '../folders.ts'
import { foreignLink, foreignSize, foreignText } from '../foreign.ts'
import { type GitOptions, type GitSettings, gitEnv, runGit, settingsOf, settingsStamp, settingsText } from './git.ts'
import { type Repository, repositoryAt } from './repository.ts'

/**
 * A repository as Conduct shows it to git. Git takes settings and hooks from a folder of Conduct in place of the
 * repository's own, so nothing that the repository names can run. See ADR 21.
 */
export interface Guarded extends Repository {
  /** The folder that stands for `commonDir`. */
  folder: string
  /** Where git writes new objects. The repository stays untouched. */
  objects: string
  settings: GitSettings
  /** The deadline for all calls, in the time of `performance.now()`. */
  until: number
}

/** The largest files of a repository that git may read as a whole, in bytes. */
const most = { head: 4_096, index: 134_217_728, packedRefs: 67_108_864, alternates: 65_536 }

/**
 * Prepares a repository for calls of git that store objects in a folder, which also keeps what speeds up the next call.
 * Throws an Error if git could hang on the repository, or its files may be elsewhere.
 */
export function guarded(repository: Repository, objects: string, until: number): Guarded {
  const { root, gitDir, commonDir } = repository
  refuseOdd(repository)
  const folder = folderOf(repository, objects)
  mkdirSync(join(folder, 'info'), { recursive: true, mode: 0o700 })
  mkdirSync(join(objects, 'info'), { recursive: true, mode: 0o700 })
  for (const name of ['refs', 'reftable', 'packed-refs', 'shallow']) standFor(join(folder, name), join(commonDir, name))
  for (const name of ['info/exclude', 'info/attributes']) {
    rewrite(join(folder, name), foreignText(join(commonDir, name)))
  }
  addAlternate(objects, join(commonDir, 'objects'))
  const made = { ...repository, folder, objects: resolve(objects), settings: {}, until }
  const settings = keptSettings(made)
  if (gitDir === commonDir) refuseElsewhere(root, gitDir, settings)
  return { ...made, settings }
}

/** The folder that stands for the `commonDir` of a repository. */
export function folderOf({ gitDir, root }: Repository, objects: string): string {
  const name = createHash('sha256').update(`${gitDir}\0${root}`).digest('hex').slice(0, 16)
  return join(resolve(objects), 'repositories', name)
}

/** A folder for objects that nothing needs afterwards. It does not exist yet, because creating it may fail. */
export const passingObjects = (): string => join(tmpdir(), `conduct-objects-${randomUUID()}`)

/** Removes such a folder. Where none can be made, `rmSync` may fail, too. */
export function dropObjects(objects: string): void {
  if (existsSync(objects)) rmSync(objects, { recursive: true, force: true })
}

/** Calls `work` with the repository around a folder, and keeps nothing; undefined outside git and if it fails. */
export function withRepository<T>(cwd: string, work: (guarded: Guarded) => T): T | undefined {
  const repository = repositoryAt(cwd)
  if (!repository) return undefined
  const objects = passingObjects()
  try {
    return work(guarded(repository, objects, performance.now() + 10_000))
  } catch {
    return undefined
  } finally {
    dropObjects(objects)
  }
}

type CallOptions = Partial<Pick<GitOptions, 'env' | 'input' | 'mostBytes'>>

/** The output of git in a repository. Throws as `runGit` does. */
export function bytesIn(guarded: Guarded, words: string[], { env, ...options }: CallOptions = {}): Buffer {
  const { root, gitDir, folder, objects, until } = guarded
  const where = { GIT_DIR: gitDir, GIT_COMMON_DIR: folder, GIT_WORK_TREE: root, GIT_OBJECT_DIRECTORY: objects }
  const timeoutMs = until - performance.now()
  return runGit(words, { cwd: root, env: { ...gitEnv(), ...where, ...env }, timeoutMs, ...options })
}

/** The same as text, without white space around it. */
export const gitIn = (guarded: Guarded, words: string[], options?: CallOptions): string =>
  bytesIn(guarded, words, options).toString('utf8').trim()

/** Stores a content in the objects of a session, and returns its id. */
export const stored = (at: Guarded, input: string | Buffer): string =>
  gitIn(at, ['hash-object', '-w', '--no-filters', '--stdin'], { input })

/** The output as text, or undefined if git fails. */
export function askIn(guarded: Guarded, ...words: string[]): string | undefined {
  try {
    return gitIn(guarded, words) || undefined
  } catch {
    return undefined
  }
}

/** Throws an Error if git would wait for a file of the repository, or read one without end. */
function refuseOdd({ gitDir, commonDir }: Repository) {
  const head = foreignLink(join(gitDir, 'HEAD')) ?? foreignText(join(gitDir, 'HEAD'), { most: most.head })
  if (head === undefined) throw new Error(`${gitDir} has no HEAD`)
  foreignSize(join(gitDir, 'index'), most.index)
  foreignSize(join(commonDir, 'packed-refs'), most.packedRefs)
  foreignSize(join(commonDir, 'shallow'), most.packedRefs)
  foreignSize(join(commonDir, 'objects/info/alternates'), most.alternates)
  const [, branch] = /^(?:ref: )?(refs\/[^\0\r\n]+)/.exec(head) ?? []
  if (branch !== undefined) foreignSize(join(commonDir, branch), most.head)
}

/** Throws an Error if the files of the repository are not in the folder above its `.git`. */
function refuseElsewhere(root: string, gitDir: string, settings: GitSettings) {
  const { 'core.worktree': worktree, 'core.bare': bare = 'false' } = settings
  if (worktree !== undefined && resolve(gitDir, worktree) !== root)
    throw new Error('core.worktree names another folder')
  if (/^(?:true|yes|on|1)$/i.test(bare)) throw new Error('the repository is bare')
}

/** Writes a file, or removes it, unless it already has that text. Several hooks may do so at the same time. */
export function rewrite(path: string, text: string | undefined) {
  if (text === undefined) return rmSync(path, { force: true })
  if (textAt(path) === text) return
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, text, { mode: 0o600 })
  renameSync(draft, path)
}

/** Whether the repository keeps branches and reflogs in tables, which only git reads. */
export const hasTables = ({ settings }: Guarded): boolean => settings['extensions.refstorage'] === 'reftable'

/** The text of a file of Conduct; undefined if it cannot be read. */
export function textAt(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** The fields in a file of JSON that Conduct keeps; none if it cannot be read. */
export function jsonAt<T>(path: string): Partial<T> {
  try {
    return JSON.parse(textAt(path) ?? '{}') ?? {}
  } catch {
    return {}
  }
}

/** Lets git also read the objects of that folder, now and in later calls. */
function addAlternate(objects: string, other: string) {
  const path = join(objects, 'info/alternates')
  const lines = (textAt(path) ?? '').split('\n').filter(Boolean)
  const line = /["\n]/.test(other) ? JSON.stringify(other) : other
  if (!lines.includes(line)) rewrite(path, `${[...lines, line].join('\n')}\n`)
}

/** The settings of a repository, read anew if its file has changed. */
function keptSettings(guarded: Guarded): GitSettings {
  const path = join(guarded.folder, 'settings.json')
  const stamp = settingsStamp(guarded)
  const kept = jsonAt<{ stamp: string; settings: GitSettings }>(path)
  if (kept.stamp === stamp && kept.settings) return kept.settings
  const settings = settingsOf(guarded, guarded.until - performance.now())
  rewrite(join(guarded.folder, 'config'), settingsText(settings))
  // The user's own settings may rewrite addresses.
  const url = settings['remote.origin.url'] && askIn(guarded, 'remote', 'get-url', 'origin')
  // They may also name a file of patterns, or leave it where git looks for one.
  const excludes = askIn(guarded, 'config', '--type=path', '--get', 'core.excludesfile') ?? defaultExcludes()
  const all = { ...settings, ...(url && { 'remote.origin.url': url }), 'core.excludesfile': excludes }
  rewrite(path, JSON.stringify({ stamp, settings: all }))
  return all
}

const defaultExcludes = () => join(process.env.XDG_CONFIG_HOME || join(homeOf(process.env), '.config'), 'git/ignore')

/** The author that git would write into a commit in that folder; undefined if git knows none. */
export function authorOf(cwd: string): string | undefined {
  const words = ['config', '-z', '--get-regexp', '^user\\.(name|email)$']
  const listed = withRepository(cwd, (of) => askIn(of, ...words)) ?? outside(words)
  const printed = Object.fromEntries(listed.split('\0').map((entry) => entry.split('\n')))
  const { 'user.name': name, 'user.email': email } = printed
  if (!name) return email && `<${email}>`
  return email ? `${name} <${email}>` : name
}

/** The user's own settings, outside every repository. */
function outside(words: string[]): string {
  try {
    const env = { ...gitEnv(), GIT_DIR: join(devNull, 'no-repository') }
    return runGit(words, { cwd: '/', env, timeoutMs: 10_000 }).toString('utf8')
  } catch {
    return ''
  }
}
