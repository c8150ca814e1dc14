import { generateKeyPairSync, randomUUID } from 'node:crypto'
import sql from 'sql-template-tag'
import type { SqlDialect, Tx } from '../db.ts'
import type { MigrationStep } from './schema.ts'
import { tablesOf } from './tables.ts'

/** Creates the tables of version 14 with their first rows. Frozen, as these tables are. */
export const newLedger = (dialect: SqlDialect): MigrationStep[] => [
  ...Object.values(tablesOf(dialect)).flat(),
  `insert into actors (id, kind, name) values (0, 'local', null), (-1, 'system', null), (-2, 'system', 'retention')`,
  `insert into followers (name, last_seq) values ('search', 0), ('seal', 0)`,
  makeKey,
]

/** Creates the signing key for a log with a new origin. */
export async function makeKey(tx: Tx) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  // The key is the last 32 bytes of its DER form.
  const last = (der: Buffer) => der.subarray(-32)
  await tx.query(sql`insert into seal_keys (origin, private_key, public_key) values (${`conduct/${randomUUID()}`},
    ${last(privateKey.export({ format: 'der', type: 'pkcs8' }))},
    ${last(publicKey.export({ format: 'der', type: 'spki' }))})`)
}
