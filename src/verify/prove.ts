import { type Client, ConductError } from '../client/client.ts'
import { type Checkpoint, checkpointsIn, hashesFrom } from '../log/seal/signed-note.ts'
import { isConsistent } from '../log/seal/tree.ts'
import type { Own } from './heads.ts'

/** The log has a seal, but the server cannot show its newest checkpoint. The message says why. */
export class NoCheckpoint extends Error {}

/** Whether a Conduct server says that it failed itself, as it does where its tables are damaged. */
export const isOwnFailure = (error: unknown): error is ConductError =>
  error instanceof ConductError && error.code === 'INTERNAL_ERROR' && error.requestId !== undefined

/**
 * The newest checkpoint of a log, with the proof that it continues one of `from` events; undefined if the server is too
 * old to have one. Throws NoCheckpoint if it is damaged.
 */
export async function readOwn(client: Client, from?: number): Promise<Own | undefined> {
  try {
    const { note, verifierKey, size, root, consistency } = await client.getCheckpoint({ from: from || undefined })
    const [head] = checkpointsIn(note)
    if (!head) throw new NoCheckpoint('The newest checkpoint of the log is damaged.')
    const isAsSigned = size === head.size && root === head.root.toString('base64')
    return { head, verifierKey, isAsSigned, consistency: consistency ?? [] }
  } catch (error) {
    if (error instanceof ConductError && error.code === 'NOT_FOUND') return undefined
    if (!isOwnFailure(error)) throw error
    throw new NoCheckpoint(`The server cannot show a checkpoint of its log. ${error.message}`, { cause: error })
  }
}

/** Why a log does not continue an earlier checkpoint, by a proof; undefined if it does. */
export function breakBetween(old: Checkpoint, head: Checkpoint, proof: readonly string[]): string | undefined {
  if (old.size > head.size) return `had ${old.size} events, and has ${head.size}`
  try {
    return isConsistent(old, head, hashesFrom(proof)) ? undefined : `has other events among its first ${old.size}`
  } catch (error) {
    return `has no proof that it continues its first ${old.size} events. ${(error as Error).message}`
  }
}

/** Like `breakBetween`, with a proof that this function fetches. */
export async function fetchBreak(client: Client, old: Checkpoint, head: Checkpoint): Promise<string | undefined> {
  if (old.size === 0 || old.size >= head.size) return breakBetween(old, head, [])
  try {
    const { hashes } = await client.getConsistency({ from: old.size, to: head.size })
    return breakBetween(old, head, hashes)
  } catch (error) {
    const isMissing = error instanceof ConductError && error.code === 'NOT_FOUND'
    if (!isMissing && !isOwnFailure(error)) throw error
    return `has no proof that it continues its first ${old.size} events. ${error.message}`
  }
}
