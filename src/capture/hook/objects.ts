import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Env } from '../../place/folders.ts'
import type { State } from '../spool/state.ts'
import { objectsOf } from './note.ts'

/** Deletes the snapshots of deleted sessions. */
export function forgetObjects(state: State, env: Env) {
  const folder = objectsOf(env)
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder)) {
    if (!state.find(name)) rmSync(join(folder, name), { recursive: true, force: true })
  }
}
