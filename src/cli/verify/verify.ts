import type { Client } from '../../client/client.ts'
import type { Checkpoint } from '../../ledger/checkpoint.ts'
import { type Fault, faultsOf, type Own, shorterThan } from './heads.ts'
import { recompute } from './recompute.ts'
import { breakBetween, readOwn } from './remember.ts'

/** The result of `conduct verify`. */
export interface Verified {
  origin: string
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
  faults: Fault[]
}

/** Checks the log of a ledger against its newest checkpoint and against anchors. Throws if the server has no seal. */
export async function verify(client: Client, anchors: readonly Checkpoint[]): Promise<Verified> {
  const own = await readOwn(client)
  if (!own) throw new Error('This server is too old to seal its log: upgrade it.')
  const base = {
    origin: own.head.origin,
    sealed: own.head.size,
    anchors: anchors.length,
    anchored: Math.max(0, ...anchors.map(({ size }) => size)),
  }
  const signatures = faultsOf(anchors, own)
  if (!(await mayRecompute(client))) {
    const faults = [...signatures, ...(await checkProofs(client, anchors, own))]
    return { ...base, by: 'proofs', events: own.head.size, faults }
  }
  const { events, dropped, erased, faults } = await recompute(client, own.head, anchors)
  return { ...base, by: 'recomputing', events, dropped, erased, faults: [...faults, ...signatures] }
}

async function mayRecompute(client: Client): Promise<boolean> {
  const { key, permissions } = await client.me()
  return permissions.includes('admin') && (key?.project ?? null) === null
}

async function checkProofs(client: Client, anchors: readonly Checkpoint[], { head }: Own): Promise<Fault[]> {
  let fits = 0
  for (const anchor of anchors.toSorted((a, b) => a.size - b.size)) {
    if (anchor.size > head.size) return [shorterThan(anchor.size, head.size, fits)]
    const reason = await breakBetween(client, anchor, head)
    if (reason !== undefined) return [{ seq: fits + 1, until: anchor.size, words: `The log ${reason}.` }]
    fits = anchor.size
  }
  return []
}
