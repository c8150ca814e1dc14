import { type Client, ConductError } from '../client/client.ts'
import { isMissing } from '../contract/error.ts'
import { type Checkpoint, checkpointsIn, hashesFrom, isSignedBy } from '../log/seal/signed-note.ts'
import { isConsistent } from '../log/seal/tree.ts'

/** A mismatch. */
export interface Mismatch {
  /** The first event that does not match, if it can be determined; absent if the fault is not in an event. */
  seq?: number
  /** The last event that can be the first one that does not match. */
  until?: number
  words: string
}

/** What the checked log reports about itself. */
export interface Own {
  head: Checkpoint
  verifierKey: string
  /** Whether the size and root that the server reads in its tables are the signed ones. */
  isAsSigned: boolean
  /** The proof that it continues the earlier checkpoint that was asked for. */
  consistency: readonly string[]
}

/**
 * Whether an anchor is of this log although it has another origin: an import left out the keys. `fits` says that no fault was
 * found.
 */
export const isContinued = (anchor: Checkpoint, { head }: Own, fits: boolean) =>
  fits && anchor.origin !== head.origin && anchor.size > 0 && !isUnsigned(anchor)

/** The faults of checkpoints that show without reading the log: another origin, or another key. */
export function faultsOf(anchors: readonly Checkpoint[], own: Own, fits: boolean): Mismatch[] {
  const { head, verifierKey, isAsSigned } = own
  const faults: Mismatch[] = []
  if (!isAsSigned) faults.push({ words: 'The stored size or root of the newest checkpoint is not the signed one.' })
  if (!isSignedBy(head, verifierKey)) faults.push({ words: 'The key of the log did not sign its newest checkpoint.' })
  const other = anchors.find((anchor) => anchor.origin !== head.origin && !isContinued(anchor, own, fits))
  if (other) {
    const words = `An anchor belongs to the log ${other.origin}, and this is ${head.origin}: the anchor is from another ledger, or this ledger was replaced.`
    faults.push({ words })
  }
  const forged = anchors.find((anchor) => anchor.origin === head.origin && !isSignedBy(anchor, verifierKey))
  if (forged) {
    const words = isUnsigned(forged)
      ? `The anchor of ${forged.size} events has no signature: it was cut off.`
      : `The log's current key did not sign the anchor of ${forged.size} events.`
    faults.push({ words })
  }
  return faults
}

const isUnsigned = ({ note }: Checkpoint) => !note.includes('\n\n')

/** The fault of a log that is shorter than a checkpoint. Earlier checkpoints match up to `fits` events. */
export function shorterThan(covered: number, events: number, fits: number): Mismatch {
  const [seq, until] = [fits + 1, events + 1]
  const where = seq === until ? `from event ${seq}` : `from an event from ${seq} to ${until}`
  return {
    seq,
    until,
    words: `A checkpoint covers ${covered} events, and the log has ${events}: it was truncated ${where} on.`,
  }
}

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
    if (isMissing(error)) return undefined
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
    if (!isMissing(error) && !isOwnFailure(error)) throw error
    return `has no proof that it continues its first ${old.size} events. ${error.message}`
  }
}
