import { execFileSync } from 'node:child_process'

/** What git returns, or undefined where it fails. */
export function git(cwd: string, ...words: string[]): string | undefined {
  try {
    return gitIn(cwd, {}, ...words).trim() || undefined
  } catch {
    return undefined
  }
}

/** The person who commits in that folder, as git writes one; undefined where git knows nobody. */
export function authorOf(cwd: string): string | undefined {
  const [name, email] = [git(cwd, 'config', 'user.name'), git(cwd, 'config', 'user.email')]
  if (name === undefined) return email && `<${email}>`
  return email === undefined ? name : `${name} <${email}>`
}

export interface GitOptions {
  env?: NodeJS.ProcessEnv
  /** What git reads from its standard input. */
  input?: string
  /** How long it may take, in milliseconds. */
  timeoutMs?: number
}

/**
 * What git writes. Throws where it fails, or takes longer than it may: ten seconds, unless `timeoutMs` says otherwise. It asks nobody, fetches
 * nothing, takes no lock that it can do without, and runs neither hooks nor a monitor that the repository names; see
 * `ownFilters` for the rest.
 */
export function gitIn(
  cwd: string,
  { env = process.env, input = '', timeoutMs = 10_000 }: GitOptions,
  ...words: string[]
): string {
  return execFileSync('git', [...quiet, ...words], {
    cwd,
    env: { ...env, ...alone },
    encoding: 'utf8',
    input,
    stdio: 'pipe',
    timeout: Math.max(1, Math.ceil(timeoutMs)),
    killSignal: 'SIGKILL',
    maxBuffer: 67_108_864,
  })
}

const quiet = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null']
const alone = { GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', GIT_NO_LAZY_FETCH: '1' }

/**
 * Words for git by which filters that the repository's own settings name are not run: content that they would change counts
 * as it is on disk. The filters of the user and of the machine remain, also under a name that the repository takes for
 * another. Throws where git cannot tell them.
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
  // In pairs, each ended by NUL: the scope, then the name, a line end and the value.
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
