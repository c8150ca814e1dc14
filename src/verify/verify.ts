import { type Client, ConductError } from '../client/client.ts'
import type { Checkpoint } from '../log/seal/signed-note.ts'
import {
  faultsOf,
  fetchBreak,
  isContinued,
  type Mismatch,
  NoCheckpoint,
  type Own,
  readOwn,
  shorterThan,
} from './heads.ts'
import { notCovered, recompute } from './recompute.ts'

/** The result of `conduct verify`. */
export interface Verified {
  /** The name of the log; empty if it has no checkpoint that says it. */
  origin: string
  /** Other names of logs whose anchors fit: this one continues them under another name and key. */
  continues: string[]
  /** How the log was checked: by recomputing it, or only by proofs from the server. */
  by: 'recomputing' | 'proofs'
  events: number
  /** The number of events that the newest checkpoint covers. */
  sealed: number
  anchors: number
  /** The number of events that the newest anchor covers. */
  anchored: number
  /** The number of events dropped from its beginning, if the log was recomputed. */
  dropped?: number
  /** The number of erased texts, if the log was recomputed. */
  erased?: number
  faults: Mismatch[]
  /** What this cannot find. */
  notCovered: string[]
}

/**
 * Checks the log of a ledger against its newest checkpoint and against anchors. Throws NOT_FOUND if
 * the server has no seal, another error if it must have had one, and UNAVAILABLE before the first checkpoint.
 */
export async function verify(client: Client, anchors: readonly Checkpoint[]): Promise<Verified> {
  const { own, failure } = await readOwn(client).then(
    (own) => ({ own, failure: undefined }),
    (failure: unknown) => ({ own: undefined, failure }),
  )
  const isRecomputed = await mayRecompute(client)
  if (!own && !failure) throw unsealed(anchors)
  const recomputed = isRecomputed ? await recompute(client, own?.head, anchors) : undefined
  const { unknown: _, ...found } = recomputed ?? {
    unknown: undefined,
    events: own?.head.size ?? 0,
    faults: own ? await checkProofs(client, anchors, own) : [],
  }
  const fits = found.faults.length === 0
  const faults = [...found.faults, ...(own ? faultsOf(anchors, own, fits) : faultsWithout(failure, found.faults))]
  const anchored = Math.max(0, ...anchors.map(({ size }) => size))
  return {
    origin: own?.head.origin ?? '',
    by: isRecomputed ? 'recomputing' : 'proofs',
    sealed: own?.head.size ?? 0,
    continues: own
      ? [...new Set(anchors.filter((one) => isContinued(one, own, fits)).map(({ origin }) => origin))]
      : [],
    anchors: anchors.length,
    anchored,
    ...found,
    faults,
    notCovered: notCovered(recomputed, found.events, anchored),
  }
}

/** Why a server without a seal cannot be verified. */
function unsealed(anchors: readonly Checkpoint[]): Error {
  if (anchors.length > 0) return new Error('The server has no seal, but the log of the anchors had one.')
  const words = 'The server does not seal its log, because its Conduct is too old: upgrade it.'
  return new ConductError('NOT_FOUND', words)
}

/**
 * The fault of a log without a checkpoint. Throws the error that kept the server from showing one if that may pass, as
 * while the log is sealed for the first time, unless the events have faults.
 */
function faultsWithout(failure: unknown, found: readonly Mismatch[]): Mismatch[] {
  if (failure instanceof NoCheckpoint) return [{ words: failure.message }]
  if (failure instanceof ConductError && failure.code === 'UNAVAILABLE' && found.length > 0) return []
  throw failure
}

async function mayRecompute(client: Client): Promise<boolean> {
  const { key, permissions } = await client.me()
  return permissions.includes('admin') && (key?.project ?? null) === null
}

async function checkProofs(client: Client, anchors: readonly Checkpoint[], { head }: Own): Promise<Mismatch[]> {
  let fits = 0
  for (const anchor of anchors.toSorted((a, b) => a.size - b.size)) {
    if (anchor.size > head.size) return [shorterThan(anchor.size, head.size, fits)]
    const reason = await fetchBreak(client, anchor, head)
    if (reason !== undefined) return [{ seq: fits + 1, until: anchor.size, words: `The log ${reason}.` }]
    fits = anchor.size
  }
  return []
}
