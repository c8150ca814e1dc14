import { ConductError, invalid } from '../../contract/error.ts'
import type { Tx } from '../../engine/db.ts'
import type { Ctx, Operation } from '../../frame/ctx.ts'
import { pageBytes } from '../../frame/page.ts'
import { confinementOf } from '../../frame/scope.ts'
import { selected } from '../list.ts'
import { numberEvents } from '../number.ts'
import { firstSeq, lastSeq, readLines } from '../read.ts'
import { readKey, readNewest, type Signed, signTree } from './checkpoint.ts'
import { countNext, readRows, readSealed } from './event.ts'
import { entryOf } from './leaf.ts'
import type { SealRoutes } from './routes.ts'
import { readSize, sealNext } from './seal.ts'
import { proofText, verifierKeyOf } from './signed-note.ts'
import { BrokenSeal, nodeReader, readLeaves } from './tile.ts'
import { proveConsistency, proveLeaf } from './tree.ts'

/** How old a checkpoint may be before a reader seals the log itself, because there may be no server to do it. */
const staleMs = 60_000
/** The most events that a reader seals. */
const sealedByReader = 10_000

/**
 * The newest checkpoint, at most a minute old if the log has grown; for the local user, of the whole log, since no
 * server may ever seal the rest. Throws UNAVAILABLE while the first one is being made, and BrokenSeal if it never can be.
 */
async function newestCheckpoint({ db, now, actor }: Pick<Ctx, 'db' | 'now' | 'actor'>): Promise<Signed> {
  const sealed = actor.kind === 'local' ? sealAll(db, now) : sealIfStale(db, now)
  const failure = await sealed.then(
    () => undefined,
    (error: Error) => error,
  )
  const newest = await readNewest(db)
  // A server that can no longer sign reports that in its log. Its earlier checkpoint is still true.
  if (newest) return newest
  if (failure instanceof BrokenSeal) throw failure
  const words = failure ? `The log cannot be sealed. ${failure.message}` : 'The log is being sealed for the first time.'
  throw new ConductError('UNAVAILABLE', words, { retryAfter: 10, isPlanned: failure === undefined, cause: failure })
}

/**
 * Seals the log if the newest checkpoint is older than a minute, or an import has left out the key that signed it, unless too
 * much has happened since.
 */
export async function sealIfStale(db: Tx, now: string): Promise<void> {
  const newest = await readNewest(db)
  // In either direction: the clock may have been ahead when it was signed.
  const isFresh = newest && Math.abs(Date.parse(now) - Date.parse(newest.signedAt)) < staleMs
  if (isFresh && (await readKey(db)).privateKey.length > 0) return
  await numberEvents(db)
  if ((await lastSeq(db)) - (await readSize(db)) > sealedByReader) return
  await sealAll(db, now)
}

async function sealAll(db: Tx, now: string): Promise<void> {
  while (await sealNext(db));
  await signTree(db, now)
}

/** Throws UNAVAILABLE while a large ledger is sealed for the first time, and BrokenSeal if the log cannot be sealed. */
export const getCheckpoint: Operation<SealRoutes['getCheckpoint']> = async (ctx, { from }) => {
  const { origin, size, root, note, signedAt } = await newestCheckpoint(ctx)
  const key = await readKey(ctx.db, origin)
  const verifierKey = verifierKeyOf(key.origin, key.publicKey)
  const isEarlier = from !== undefined && from <= size
  const proof = isEarlier ? { consistency: textsOf(await proveConsistency(nodeReader(ctx.db), from, size)) } : {}
  return { note, origin, size, root: root.toString('base64'), signedAt, verifierKey, ...proof }
}

/** Throws NOT_FOUND for an event that no checkpoint covers yet; UNAVAILABLE like getCheckpoint. */
export const getProof: Operation<SealRoutes['getProof']> = async (ctx, { seq }) => {
  const { size, note } = await newestCheckpoint(ctx)
  if (seq > size) {
    throw new ConductError(
      'NOT_FOUND',
      `The newest checkpoint covers the events up to ${size}, not ${seq}: the server signs a new one once a minute.`,
    )
  }
  const proof = await proveLeaf(nodeReader(ctx.db), seq - 1, size)
  return { proof: proofText(seq - 1, proof, note, await visibleEntry(ctx, seq)) }
}

/** The entry of an event; undefined if the caller may not read it. */
async function visibleEntry(ctx: Ctx, seq: number): Promise<string | undefined> {
  const { admits } = await selected(ctx, {})
  const [shown] = await readLines(ctx.db, { after: seq - 1 }, 1)
  if (shown?.event.seq !== seq || !admits(shown)) return undefined
  const [stored] = await readSealed(ctx.db, seq - 1, 1)
  return stored && entryOf(stored.event, stored.salts)
}

/** Throws VALIDATION_ERROR for sizes in the wrong order; NOT_FOUND for a size that the tree has not reached. */
export const getConsistency: Operation<SealRoutes['getConsistency']> = async (ctx, { from, to: given }) => {
  const { db } = ctx
  const to = given ?? (await newestCheckpoint(ctx)).size
  if (from > to) throw invalid('from', `must be at most ${to}, not ${from}`)
  const size = await readSize(db)
  if (to > size) throw new ConductError('NOT_FOUND', `Only ${size} events of the log are sealed, not ${to}.`)
  const proof = await proveConsistency(nodeReader(db), from, to)
  return { from, to, hashes: textsOf(proof) }
}

/** The hashes before the first that is missing. */
function leading(hashes: readonly (Buffer | undefined)[]): Buffer[] {
  const end = hashes.indexOf(undefined)
  return hashes.slice(0, end < 0 ? hashes.length : end).flatMap((hash) => hash ?? [])
}

const textsOf = (hashes: readonly Buffer[]) => hashes.map((one) => one.toString('base64'))

/** Throws FORBIDDEN for a key of one project. */
export const listLeaves: Operation<SealRoutes['listLeaves']> = async (ctx, { after, limit }) => {
  if (confinementOf(ctx) !== null) {
    throw new ConductError('FORBIDDEN', 'Only a key of the whole server can read the whole log.')
  }
  const { db } = ctx
  await numberEvents(db)
  // Read before the events, so an event that is sealed meanwhile lacks its hash rather than its salts.
  const hashes = await readLeaves(db, after, after + limit)
  const { count, hasMore } = await countNext(db, after, { limit, bytes: pageBytes })
  const rows = await readRows(db, after, count)
  // Read after the events, so that events dropped meanwhile do not count as missing.
  const first = await firstSeq(db)
  const dropped = textsOf(leading(hashes).slice(0, Math.max(0, first - 1 - after)))
  if (dropped.length > 0) {
    return { leaves: [], meta: { hasMore: true, lastSeq: after + dropped.length, dropped } }
  }
  const last = rows.at(-1)?.seq ?? after
  const leaves = rows.map(({ salts, ...row }) => ({
    ...row,
    salts: Buffer.from(salts ?? []).toString('base64'),
    hash: hashes[row.seq - after - 1]?.toString('base64') ?? null,
  }))
  return { leaves, meta: { hasMore, lastSeq: last, dropped: [] } }
}
