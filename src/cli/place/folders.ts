import { chmodSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export type Env = Record<string, string | undefined>

/**
 * Where Conduct keeps its files, by the XDG Base Directory Specification: profiles in `config`, and what is not sent
 * yet in `state`.
 */
export const folders = {
  config: (env: Env) => join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'conduct'),
  state: (env: Env) => join(env.XDG_STATE_HOME || join(env.HOME || homedir(), '.local', 'state'), 'conduct'),
}

/** Creates the folder if needed and closes it to other users: it holds keys and texts of prompts. */
export function privateFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  chmodSync(path, 0o700)
  return path
}
