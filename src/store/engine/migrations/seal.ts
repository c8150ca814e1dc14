import { randomUUID } from 'node:crypto'
import sql from 'sql-template-tag'
import { newKeyPair } from '../../../ledger/checkpoint.ts'
import type { Dialect, Tx } from '../db.ts'
import type { Step } from './migration.ts'

/** The Merkle tree over the log in tiles of 256 hashes, and its signed checkpoints. */
export function seal({ id, text, integer, bytes, tableEnd }: Dialect): Step[] {
  return [
    `create table seal_keys (id ${id}, origin ${text} not null, private_key ${bytes} not null,
      public_key ${bytes} not null) ${tableEnd}`,
    `create table seal_tiles (level ${integer} not null, n ${integer} not null, hashes ${bytes} not null,
      primary key (level, n)) ${tableEnd}`,
    // Only for events with texts.
    `create table seal_salts (seq ${integer} primary key, salts ${bytes} not null) ${tableEnd}`,
    `create table seal_checkpoints (size ${integer} primary key, root ${bytes} not null, note ${text} not null,
      created_at ${text} not null) ${tableEnd}`,
    "insert into followers (name, last_seq) values ('seal', 0)",
    makeKey,
  ]
}

/** Creates the signing key for a log with a new origin. */
export async function makeKey(tx: Tx) {
  const { privateKey, publicKey } = newKeyPair()
  await tx.query(sql`insert into seal_keys (origin, private_key, public_key)
    values (${`conduct/${randomUUID()}`}, ${privateKey}, ${publicKey})`)
}
