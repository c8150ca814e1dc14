import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'

export type Env = Record<string, string | undefined>

/** The user's home. With an empty HOME, paths in it would be in the working folder. */
export const homeOf = (env: Env): string => env.HOME || homedir() || homeOfAccount()

function homeOfAccount(): string {
  try {
    return userInfo().homedir
  } catch {
    // A container may run as a user that it does not know.
    return '/'
  }
}

/**
 * Where Conduct keeps its files, by the XDG Base Directory Specification: profiles in `config`, and what is not sent
 * yet in `state`.
 */
export const folders = {
  config: (env: Env) => join(env.XDG_CONFIG_HOME || join(homeOf(env), '.config'), 'conduct'),
  state: (env: Env) => join(env.XDG_STATE_HOME || join(homeOf(env), '.local', 'state'), 'conduct'),
}
