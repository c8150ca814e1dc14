import { spawnSync } from 'node:child_process'
import { delimiter, isAbsolute } from 'node:path'

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
  const [program, ...before] = limited
  const options = { cwd, env, input, maxBuffer: mostBytes, timeout: Math.ceil(timeoutMs), killSignal: 'SIGKILL' }
  // A process group of its own, so that all of it can be ended. Not in the types of Node.js.
  const { pid, stdout, stderr, status, error } = spawnSync(program, [...before, ...words], {
    ...options,
    detached: process.platform !== 'win32',
  } as object)
  if (error) {
    endGroup(pid)
    throw error
  }
  if (status !== 0) throw new Error(stderr.toString('utf8').trim() || `git ended with ${status}`)
  return stdout as Buffer
}

const limited: [string, ...string[]] =
  process.platform === 'win32' ? ['git'] : ['/bin/sh', '-c', `ulimit -d ${memoryKiB} 2>/dev/null; exec git "$@"`, 'git']

function endGroup(pid: number) {
  try {
    if (pid > 0 && process.platform !== 'win32') process.kill(-pid, 'SIGKILL')
  } catch {
    // All of it has ended.
  }
}

/** What git sets for its hooks and aliases: it names the repository in which git runs them, not that of a folder. */
const ofOther = [
  ...['GIT_ALTERNATE_OBJECT_DIRECTORIES', 'GIT_COMMON_DIR', 'GIT_CONFIG', 'GIT_CONFIG_PARAMETERS', 'GIT_DIR'],
  ...['GIT_GRAFT_FILE', 'GIT_IMPLICIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_NAMESPACE', 'GIT_OBJECT_DIRECTORY'],
  ...['GIT_PREFIX', 'GIT_QUARANTINE_PATH', 'GIT_REPLACE_REF_BASE', 'GIT_SHALLOW_FILE', 'GIT_WORK_TREE'],
]

/** The environment for git. Git asks no questions, fetches nothing and takes no optional locks. */
export function gitEnv(): NodeJS.ProcessEnv {
  const env = { ...process.env }
  for (const name of ofOther) delete env[name]
  return {
    ...env,
    ...(env.PATH !== undefined && { PATH: absolute(env.PATH) }),
    LC_ALL: 'C',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
  }
}

/** A PATH without relative folders, which would be those of the folder in which a program runs. */
export const absolute = (path: string) => path.split(delimiter).filter(isAbsolute).join(delimiter)
