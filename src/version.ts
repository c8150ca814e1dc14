import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isSource, root } from './root.ts'

const { version: named } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }

/** The commit that `dist` was built from, which the build writes there. */
export const commitFile = 'dist/commit'

/** The version of this program: that of the package and, unless it is a release, the commit (Semantic Versioning, build metadata). */
export const version = named.includes('-') ? [named, commit()].filter(Boolean).join('+') : named

/** The start of the id of the commit that this code is from; undefined if it is not known. */
function commit(): string | undefined {
  try {
    if (!isSource) return readFileSync(join(root, commitFile), 'utf8').trim()
    return checkedOut()
  } catch {
    return undefined
  }
}

/** The commit of the checkout. Throws outside of one. */
export function checkedOut(): string {
  const { PATH, HOME } = process.env
  const words = ['rev-parse', '--short=10', 'HEAD']
  return execFileSync('git', words, { cwd: root, env: { PATH, HOME }, encoding: 'utf8', stdio: 'pipe' }).trim()
}
