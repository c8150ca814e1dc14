import { join } from 'node:path'
import { type Env, folders } from '../../place/folders.ts'
import { privateFolder } from '../../system/private.ts'
import { openState, type Spool } from './state.ts'

/** The file for what this user's programs record and have not sent yet. */
export const stateFile = (env: Env) => join(folders.state(env), 'state.db')

export const lossOf = (error: unknown) =>
  `What cannot be sent at once will be lost, since nothing can be stored here: ${(error as Error).message}.`

/** The state file of this user or, if it cannot be opened, a state in memory. `say` receives what that means. */
export function stateOrMemory(env: Env, say: (words: string) => void): Spool {
  try {
    return stateOf(env)
  } catch (error) {
    say(lossOf(error))
    return openState(':memory:')
  }
}

/** Opens the state file of this user, creating it if needed. */
export function stateOf(env: Env): Spool {
  privateFolder(folders.state(env))
  return openState(stateFile(env))
}
