import { type Place, type PlaceOptions, placeOf } from '../../place/connect.ts'
import { SettingError } from '../../terminal/exit.ts'
import { runChild } from './child.ts'

type Say = (words: string) => void

/**
 * Where to record. Undefined if a variable of the environment is wrong, which must not stop the command. `say` receives
 * what that means.
 */
export function placeToRecord(options: PlaceOptions, say: Say): Place | undefined {
  try {
    return placeOf(options, process.env, process.cwd())
  } catch (error) {
    if (!(error instanceof SettingError)) throw error
    say(error.message)
    say('The command runs anyway; it is not recorded.')
  }
}

/** Runs the command and returns its exit code. */
export async function runUnrecorded(words: string[], say: Say): Promise<number> {
  const { exitCode, fault } = await runChild(words, { env: { ...process.env, CONDUCT_RUN_ID: undefined } })
  if (fault) say(fault)
  return exitCode
}
