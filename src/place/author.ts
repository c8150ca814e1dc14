import { gitEnv, runGit } from './git/git.ts'
import { askIn, withRepository } from './git/guarded.ts'

/** The author that git would write into a commit in that folder; undefined if git knows none. */
export function authorOf(cwd: string): string | undefined {
  const words = ['config', '-z', '--get-regexp', '^user\\.(name|email)$']
  const listed = withRepository(cwd, (of) => askIn(of, ...words)) ?? outside(words)
  const told = Object.fromEntries(listed.split('\0').map((entry) => entry.split('\n')))
  const { 'user.name': name, 'user.email': email } = told
  if (!name) return email && `<${email}>`
  return email ? `${name} <${email}>` : name
}

/** The user's own settings, outside every repository. */
function outside(words: string[]): string {
  try {
    const env = { ...gitEnv(), GIT_DIR: '/dev/null/no-repository' }
    return runGit(words, { cwd: '/', env, timeoutMs: 10_000 }).toString('utf8')
  } catch {
    return ''
  }
}
