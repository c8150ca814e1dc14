import { execFileSync } from 'node:child_process'

/** What git answers, or undefined where it does not. */
export function git(cwd: string, ...words: string[]): string | undefined {
  try {
    return gitIn(cwd, process.env, ...words) || undefined
  } catch {
    return undefined
  }
}

/** What git answers in that environment. Throws where it fails, or takes longer than ten seconds. */
export function gitIn(cwd: string, env: NodeJS.ProcessEnv, ...words: string[]): string {
  return execFileSync('git', words, { cwd, env, encoding: 'utf8', stdio: 'pipe', timeout: 10_000 }).trim()
}
