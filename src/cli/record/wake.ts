import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Env } from '../place/folders.ts'

/** Starts a `conduct sync` that outlives this process, and returns at once. */
export function wakeSync(env: Env) {
  const main = fileURLToPath(import.meta.url.replace(/record\/wake(\.\w+)$/, 'main$1'))
  const child = spawn(process.execPath, [main, 'sync', '--quiet'], { detached: true, stdio: 'ignore', env, cwd: '/' })
  child.on('error', () => {})
  child.unref()
}
