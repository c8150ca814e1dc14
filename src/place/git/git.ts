import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { devNull } from 'node:os'
import { join, resolve } from 'node:path'
import { endGroup, limited, ownGroup } from '../../system/limits.ts'
import { findProgram, withAbsolutePath } from '../../system/programs.ts'
import { homeOf } from '../folders.ts'
import { foreignSize, foreignText, mostBytes } from '../foreign.ts'
import type { Repository } from './repository.ts'

export interface GitOptions {
  cwd: string
  env: NodeJS.ProcessEnv
  /** The standard input of git. */
  input?: string | Buffer
  /** How long git may take, in milliseconds. */
  timeoutMs: number
  /** The most bytes of output. */
  mostBytes?: number
}

/** The most memory that git and the filters of the user may take each, in KiB. A hostile repository could take all. */
const memoryKiB = 262_144

/** The most bytes of output unless a caller says otherwise. */
const outputBytes = 25_165_824

/**
 * The output of git. Throws an Error with what git says if it fails, takes too long or writes too much. Then git and
 * the programs that it has started are ended.
 */
export function runGit(words: string[], { cwd, env, input = '', timeoutMs, mostBytes = outputBytes }: GitOptions) {
  if (timeoutMs <= 0) throw new Error('git has no time left')
  const [program, ...before] = limited('git', memoryKiB, env)
  const options = { cwd, env, input, maxBuffer: mostBytes, timeout: Math.ceil(timeoutMs), killSignal: 'SIGKILL' }
  // A process group of its own, so that all of it can be ended. Not in the types of Node.js.
  const { pid, stdout, stderr, status, error } = spawnSync(program, [...before, ...words], {
    ...options,
    ...ownGroup,
  } as object)
  // The shell has words of its own for that, and may end before it has read the input.
  if (status === 127 && !findProgram('git', env)) throw new Error('there is no program git on the PATH')
  // What ends before it has read its input says itself why.
  const saidWhy = (error as NodeJS.ErrnoException | undefined)?.code === 'EPIPE' && Boolean(status)
  if (error && !saidWhy) {
    endGroup(pid)
    throw error
  }
  if (status !== 0) throw new Error(stderr.toString('utf8').trim() || `git ended with ${status}`)
  return stdout as Buffer
}

/** What git sets for its hooks and aliases: it names the repository in which git runs them, not that of a folder. */
const ofOther = [
  ...['GIT_ALTERNATE_OBJECT_DIRECTORIES', 'GIT_COMMON_DIR', 'GIT_CONFIG', 'GIT_CONFIG_PARAMETERS', 'GIT_DIR'],
  ...['GIT_GRAFT_FILE', 'GIT_IMPLICIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_NAMESPACE', 'GIT_OBJECT_DIRECTORY'],
  ...['GIT_PREFIX', 'GIT_QUARANTINE_PATH', 'GIT_REPLACE_REF_BASE', 'GIT_SHALLOW_FILE', 'GIT_WORK_TREE'],
]

/** The environment for git. Git asks no questions, fetches nothing and takes no optional locks. */
export function gitEnv(): NodeJS.ProcessEnv {
  const env = withAbsolutePath(process.env)
  for (const name of ofOther) delete env[name]
  return {
    ...env,
    LC_ALL: 'C',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
  }
}

/** A setting of a repository, by its name as git prints it: `core.autocrlf`, `remote.origin.url`. */
export type GitSettings = Record<string, string>

const flag = /^(?:true|false|yes|no|on|off|0|1)$/i

/**
 * The settings of a repository that reach git, with their possible values. Git gets no other setting that a folder
 * brings along, so none of them can name a program: the list has only those that decide what the content of a file is,
 * or who its author is.
 */
export const passedOn: Record<string, RegExp> = {
  'core.autocrlf': /^(?:true|false|input|yes|no|on|off|0|1)$/i,
  'core.eol': /^(?:lf|crlf|native)$/i,
  'core.filemode': flag,
  'core.ignorecase': flag,
  'core.precomposeunicode': flag,
  'core.symlinks': flag,
  'extensions.objectformat': /^(?:sha1|sha256)$/i,
  'extensions.refstorage': /^(?:files|reftable)$/i,
  'remote.origin.url': /^[^\0\r\n]{1,2000}$/,
  'user.email': /^[^\0\r\n]{1,500}$/,
  'user.name': /^[^\0\r\n]{1,500}$/,
}

/** Settings that name a file of patterns. Git gets them if it is a regular and small one. */
export const passedOnFiles: readonly string[] = ['core.attributesfile', 'core.excludesfile']

/** Settings that Conduct reads itself: a repository that has them may have its files elsewhere. */
const readOnly = ['core.bare', 'core.worktree']

/** What git is to do differently when Conduct calls it, whatever the user's own settings say. */
const ours: GitSettings = {
  'core.bare': 'false',
  'core.bigfilethreshold': '16m',
  'core.fsmonitor': 'false',
  'core.hookspath': devNull,
  'core.safecrlf': 'false',
  // Git then reads files that are on disk although they are outside the sparse checkout.
  'core.sparsecheckout': 'true',
  'core.splitindex': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'sparse.expectfilesoutsideofpatterns': 'false',
}

/** Identifies a state of the repository's own settings. */
export function settingsStamp({ commonDir }: Repository): string {
  const stat = statSync(join(commonDir, 'config'), { throwIfNoEntry: false, bigint: true })
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}` : 'none'
}

/** The settings of a repository that Conduct uses. Included files do not count. Throws if they cannot be read. */
export function settingsOf({ commonDir }: Repository, timeoutMs: number): GitSettings {
  const text = foreignText(join(commonDir, 'config')) ?? ''
  const env = { ...gitEnv(), GIT_DIR: join(commonDir, 'no-repository') }
  const words = ['config', '--file', '-', '--no-includes', '-z', '--list']
  const listed = runGit(words, { cwd: commonDir, env, input: text, timeoutMs }).toString('utf8')
  const settings: GitSettings = {}
  for (const entry of listed.split('\0').filter(Boolean)) {
    const [name = '', ...rest] = entry.split('\n')
    // Git takes a name without a value for true.
    const value = rest.length === 0 ? 'true' : rest.join('\n')
    const isPassed = Object.hasOwn(passedOn, name) && passedOn[name]?.test(value)
    const isFirst = name !== 'remote.origin.url' || settings[name] === undefined
    if ((isPassed && isFirst) || readOnly.includes(name)) settings[name] = value
    if (passedOnFiles.includes(name)) settings[name] = patternFile(name, value)
  }
  return settings
}

/** The absolute path of a file of patterns. Git would wait for a pipe, and read a device without end. */
function patternFile(name: string, value: string): string {
  const path = value.startsWith('~/') ? join(homeOf(process.env), value.slice(2)) : resolve('/', value)
  try {
    foreignSize(path, mostBytes)
    return path
  } catch (error) {
    throw new Error(`${name}: ${(error as Error).message}`)
  }
}

/** The text of a file of settings for git: those of the repository that are passed on, and ours. */
export function settingsText(settings: GitSettings): string {
  const passed = Object.entries(settings).filter(([name]) => !readOnly.includes(name))
  const hasExtensions = passed.some(([name]) => name.startsWith('extensions.'))
  const version = { 'core.repositoryformatversion': hasExtensions ? '1' : '0' }
  return Object.entries({ ...Object.fromEntries(passed), ...ours, ...version })
    .map(([name, value]) => `${sectionOf(name)}\n\t${name.slice(name.lastIndexOf('.') + 1)} = ${quoted(value)}\n`)
    .join('')
}

function sectionOf(name: string): string {
  const [section, ...rest] = name.split('.')
  return rest.length > 1 ? `[${section} "${rest.slice(0, -1).join('.')}"]` : `[${section}]`
}

const quoted = (value: string) => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
