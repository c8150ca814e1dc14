import { execFileSync } from 'node:child_process'

/** The output of git, or undefined if git fails. */
export function git(cwd: string, ...words: string[]): string | undefined {
  try {
    return gitIn(cwd, {}, ...words).trim() || undefined
  } catch {
    return undefined
  }
}

/** The top folder of the working tree around `cwd`; undefined outside git. */
export const topOf = (cwd: string): string | undefined => git(cwd, 'rev-parse', '--show-toplevel')

/** The author that git would write into a commit in that folder; undefined if git knows none. */
export function authorOf(cwd: string): string | undefined {
  const [name, email] = [git(cwd, 'config', 'user.name'), git(cwd, 'config', 'user.email')]
  if (name === undefined) return email && `<${email}>`
  return email === undefined ? name : `${name} <${email}>`
}

export interface GitOptions {
  env?: NodeJS.ProcessEnv
  /** The standard input of git. */
  input?: string
  /** How to read the output and write the input. Names of files may have any bytes, which only latin1 keeps. */
  encoding?: 'utf8' | 'latin1'
  /** How long git may take, in milliseconds. */
  timeoutMs?: number
}

/**
 * The output of git. Throws if git fails or takes longer than `timeoutMs` (ten seconds by default). Git asks no
 * questions, fetches nothing, takes no optional locks, and runs neither hooks nor a file monitor that the repository
 * configures; `ownFilters` takes care of filters.
 */
export function gitIn(
  cwd: string,
  { env = gitEnv(), input = '', encoding = 'utf8', timeoutMs = 10_000 }: GitOptions,
  ...words: string[]
): string {
  return execFileSync('git', [...quiet, ...words], {
    cwd,
    env: { ...env, ...alone },
    encoding,
    input: Buffer.from(input, encoding),
    stdio: 'pipe',
    timeout: Math.max(1, Math.ceil(timeoutMs)),
    killSignal: 'SIGKILL',
    maxBuffer: 67_108_864,
  })
}

const quiet = ['core.fsmonitor=false', 'core.hooksPath=/dev/null', 'core.safecrlf=false'].flatMap((set) => ['-c', set])
const alone = { GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', GIT_NO_LAZY_FETCH: '1' }

/**
 * The environment for git. What git sets for its own hooks and aliases is left out: it names the repository in which
 * git runs them, which need not be that of a folder.
 */
export function gitEnv(): NodeJS.ProcessEnv {
  const { GIT_DIR, GIT_WORK_TREE, GIT_COMMON_DIR, GIT_INDEX_FILE: _, GIT_PREFIX: __, ...env } = process.env
  // A user who sets both means every folder.
  return GIT_DIR && GIT_WORK_TREE ? { ...env, GIT_DIR, GIT_WORK_TREE, GIT_COMMON_DIR } : env
}

/**
 * Arguments that keep git from running filters configured by the repository itself; the content they would change
 * counts as it is on disk. Filters of the user and of the machine still run, even under a name that the repository
 * reuses. Throws if git cannot list its settings.
 */
export function ownFilters(cwd: string): string[] {
  const settings = filterSettings(cwd)
  const isForeign = ({ scope }: FilterSetting) => scope !== 'system' && scope !== 'global'
  const foreign = new Set(settings.filter(isForeign).map(({ name }) => name))
  return [...foreign].flatMap((name) => {
    const own = settings.findLast((one) => one.name === name && !isForeign(one))
    return ['-c', `${name}=${own?.value ?? ''}`]
  })
}

interface FilterSetting {
  scope: string
  name: string
  value: string
}

function filterSettings(cwd: string): FilterSetting[] {
  // Pairs that each end with NUL: the scope, then the name, a line break and the value.
  const told = git(cwd, 'config', '--list', '--show-scope', '-z') ?? ''
  const [...fields] = told.split('\0')
  const settings: FilterSetting[] = []
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [name = '', ...value] = (fields[at + 1] ?? '').split('\n')
    if (/^filter\..*\.(?:clean|smudge|process|required)$/s.test(name)) {
      settings.push({ scope: fields[at] ?? '', name, value: value.join('\n') })
    }
  }
  return settings
}
