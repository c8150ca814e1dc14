import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Env, folders } from '../../place/folders.ts'
import { privateFolder } from '../../system/private.ts'

/** The file for the newest hook call that recorded nothing. `bin/missed.cjs` writes it, too. */
export const missedFile = (env: Env) => join(folders.state(env), 'hook-missed.json')

/** Keeps why a hook of that agent recorded nothing, for `conduct doctor` and `conduct status`, if it can be kept. */
export function keepMissed(env: Env, agent: string, reason: string) {
  try {
    privateFolder(folders.state(env))
    writeFileSync(missedFile(env), `${JSON.stringify({ at: Date.now(), agent, reason })}\n`, { mode: 0o600 })
  } catch {
    // The doctor finds a folder that cannot be written by itself.
  }
}
