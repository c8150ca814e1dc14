import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Env } from '../../place/folders.ts'
import { isSource, root } from '../../root.ts'

/** The program of this command line. */
export const mainFile = join(root, isSource ? 'src/cli/main.ts' : 'dist/cli/main.js')

/** Set by the launcher of hooks where it could ask a resident recorder. */
export const launched = 'CONDUCT_LAUNCHED'

/**
 * Has what waits sent by a process that outlives this one, and returns at once: by the resident recorder, which it starts
 * if needed, or else by a `conduct sync`.
 */
export function wakeSync({ [launched]: isLaunched, ...env }: Env) {
  const words = isLaunched ? ['recorder'] : ['sync', '--quiet']
  const child = spawn(process.execPath, [mainFile, ...words], { detached: true, stdio: 'ignore', env, cwd: '/' })
  child.on('error', () => {})
  child.unref()
}
