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
