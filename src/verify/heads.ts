import { type Checkpoint, isSignedBy } from '../log/seal/signed-note.ts'

/** A mismatch. */
export interface Fault {
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

/** The faults of checkpoints that show without reading the log: another origin, or another key. */
export function faultsOf(anchors: readonly Checkpoint[], { head, verifierKey, isAsSigned }: Own): Fault[] {
  const faults: Fault[] = []
  if (!isAsSigned) faults.push({ words: 'The stored size or root of the newest checkpoint is not the signed one.' })
  if (!isSignedBy(head, verifierKey)) faults.push({ words: 'The key of the log did not sign its newest checkpoint.' })
  const other = anchors.find(({ origin }) => origin !== head.origin)
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
export function shorterThan(covered: number, events: number, fits: number): Fault {
  const [seq, until] = [fits + 1, events + 1]
  const where = seq === until ? `from event ${seq}` : `from an event from ${seq} to ${until}`
  return {
    seq,
    until,
    words: `A checkpoint covers ${covered} events, and the log has ${events}: it was truncated ${where} on.`,
  }
}
