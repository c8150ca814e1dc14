import { ConductError } from '../contract/error.ts'
import { connect } from '../place/connect.ts'
import type { Env } from '../place/folders.ts'
import type { Place } from '../place/place.ts'
import { UsageError } from '../terminal/exit.ts'
import { checkMemory } from './remember.ts'

export interface CheckOptions {
  /** The time limit of the request, in milliseconds. */
  timeout: number
  /** Whether to check only once an hour. */
  seldom?: boolean
}

/**
 * Why the log of a server does not continue what this machine saw of it; undefined if it does, if the place is no
 * server, or if the server cannot be asked. Throws an Error if this machine cannot remember the log.
 */
export async function rewrittenWords(place: Place, env: Env, options: CheckOptions): Promise<string | undefined> {
  if (place.kind !== 'server') return undefined
  const { timeout, seldom } = options
  try {
    const { client } = await connect({ ...place, project: undefined }, env, { attempts: 1, timeout })
    return await checkMemory(client, place.url, env, seldom)
  } catch (error) {
    if (error instanceof ConductError || error instanceof UsageError) return undefined
    throw error
  }
}

/** The time limit of the request after a command, in milliseconds. A server that has just answered is fast. */
const afterCommandMs = 5_000

/**
 * After a command was recorded, warns if the server rewrote its log. Never throws: the exit code is that of the command.
 */
export async function warnIfRewritten(place: Place, env: Env, say: (words: string) => void): Promise<void> {
  const words = await rewrittenWords(place, env, { timeout: afterCommandMs }).catch(
    (error: Error) => `The checkpoint of the log was not remembered: ${error.message}.`,
  )
  if (words !== undefined) say(words)
}
