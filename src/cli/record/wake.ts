import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { isSource, root } from '../../root.ts'
import type { Env } from '../place/folders.ts'

/** Starts a `conduct sync` that outlives this process, and returns at once. */
export function wakeSync(env: Env) {
  const main = join(root, isSource ? 'src/cli/main.ts' : 'dist/cli/main.js')
  const child = spawn(process.execPath, [main, 'sync', '--quiet'], { detached: true, stdio: 'ignore', env, cwd: '/' })
  child.on('error', () => {})
  child.unref()
}
