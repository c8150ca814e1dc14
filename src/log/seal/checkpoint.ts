import sql, { empty } from 'sql-template-tag'
import type { Tx } from '../../engine/db.ts'
import { makeKey } from '../../engine/migrations/new-ledger.ts'
import { readSize } from './seal.ts'
import { type Checkpoint, keyBytes, signCheckpoint } from './signed-note.ts'
import { BrokenSeal, nodeReader } from './tile.ts'
import { rootBetween } from './tree.ts'

/** How many checkpoints to keep: a week at one per minute. The important ones are kept elsewhere. */
const kept = 10_000

export interface Signed extends Checkpoint {
  signedAt: string
}

/**
 * The origin of the ledger's log and its signing key; for an earlier origin, the key that signed for it. Throws
 * BrokenSeal if the ledger does not store such a key.
 */
export async function readKey(db: Tx, of?: string) {
  const rows = await db.query<{ origin: string; private_key: Uint8Array; public_key: Uint8Array }>(sql`
    select origin, private_key, public_key from seal_keys ${of === undefined ? empty : sql`where origin = ${of}`}
    order by id desc limit 1`)
  const [row] = rows
  if (!row) throw new BrokenSeal(`The ledger has no signing key of the log ${of ?? ''}`.trimEnd())
  const key = { privateKey: Buffer.from(row.private_key), publicKey: Buffer.from(row.public_key) }
  const isWhole = key.publicKey.length === keyBytes && [0, keyBytes].includes(key.privateKey.length)
  if (!isWhole) throw new BrokenSeal(`The signing key of the log ${row.origin} is damaged.`)
  return { origin: row.origin, ...key }
}

/** The signing key. If an import left out its private half, a key with a new origin follows. */
export async function signingKey(db: Tx) {
  const key = await readKey(db)
  if (key.privateKey.length > 0) return key
  return db.tx(async (tx) => {
    await tx.query(tx.dialect.alone)
    if ((await readKey(tx)).privateKey.length === 0) await makeKey(tx)
    return readKey(tx)
  })
}

/** The newest checkpoint; undefined before the first. */
export async function readNewest(db: Tx): Promise<Signed | undefined> {
  const [row] = await db.query<{ size: number; root: Uint8Array; note: string; created_at: string }>(sql`
    select size, root, note, created_at from seal_checkpoints order by size desc limit 1`)
  if (!row) return undefined
  const { size, root, note, created_at: signedAt } = row
  const origin = note.slice(0, note.indexOf('\n'))
  return { origin, size, root: Buffer.from(root), note, signedAt }
}

/**
 * Signs the current tree, unless the newest checkpoint covers it. Throws BrokenSeal if this tree does not extend the
 * newest checkpoint: a log never signs two histories.
 */
export async function signTree(db: Tx, now: string): Promise<void> {
  // In this order, because another server may sign a larger tree meanwhile.
  const newest = await readNewest(db)
  const size = await readSize(db)
  const read = nodeReader(db)
  if (size === 0 || newest?.size === size) return
  if (newest && (newest.size > size || !newest.root.equals(await rootBetween(read, 0, newest.size)))) {
    throw new BrokenSeal(
      `The stored tree of ${size} events does not continue checkpoint ${newest.size}: run conduct verify.`,
    )
  }
  const { origin, ...keys } = await signingKey(db)
  const { root, note } = signCheckpoint(origin, keys, { size, root: await rootBetween(read, 0, size) })
  await db.tx(async (tx) => {
    await tx.query(sql`insert into seal_checkpoints (size, root, note, created_at)
      values (${size}, ${root}, ${note}, ${now}) on conflict (size) do nothing`)
    await tx.query(sql`delete from seal_checkpoints where size <=
      (select size from seal_checkpoints order by size desc limit 1 offset ${kept})`)
  })
}
