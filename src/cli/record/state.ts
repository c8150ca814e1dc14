import { join } from 'node:path'
import { openState, type State } from '../../spool/state.ts'
import { type Env, folders, privateFolder } from '../place/folders.ts'

/** The file with what this user's programs record and have not sent yet. */
export const stateFile = (env: Env) => join(folders.state(env), 'state.db')

/** Opens the state of this user, made where it is missing. */
export function stateOf(env: Env): State {
  privateFolder(folders.state(env))
  return openState(stateFile(env))
}
