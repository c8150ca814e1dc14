import { chmodSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export type Env = Record<string, string | undefined>

/** Where Conduct keeps what, by the XDG Base Directory Specification: `config` (profiles) and `state` (what is not sent yet). */
export const folders = {
  config: (env: Env) => join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'conduct'),
  state: (env: Env) => join(env.XDG_STATE_HOME || join(env.HOME || homedir(), '.local', 'state'), 'conduct'),
}

/** The folder, made where it is missing, and nobody else's to read: it holds keys and words of prompts. */
export function privateFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  chmodSync(path, 0o700)
  return path
}
