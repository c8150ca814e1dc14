import sql from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import type { Tx } from '../../engine/db.ts'
import { hashBytes, type ReadNode, rootOf } from './tree.ts'

/** The log or its stored tree is not as it was sealed, so no later try can succeed. The message says what is wrong. */
export class BrokenSeal extends ConductError {
  constructor(message: string) {
    super('INTERNAL_ERROR', message)
  }
}

/** The hashes per tile: the tree stores every eighth of its levels (c2sp.org/tlog-tiles). */
export const tileSize = 256
const levelsOfTile = 8

async function readTile(db: Tx, level: number, n: number): Promise<Buffer> {
  const [tile] = await db.query<{ hashes: Uint8Array }>(sql`
    select hashes from seal_tiles where level = ${level} and n = ${n}`)
  return Buffer.from(tile?.hashes ?? [])
}

const hashesIn = (tile: Buffer): Buffer[] =>
  Array.from({ length: tile.length / hashBytes }, (_, at) => tile.subarray(at * hashBytes, (at + 1) * hashBytes))

/** The hashes of the leaves from `from` up to but not including `to`; undefined where one is missing before others. */
export async function readLeaves(db: Tx, from: number, to: number): Promise<(Buffer | undefined)[]> {
  const first = Math.floor(from / tileSize)
  const tiles = await db.query<{ n: number; hashes: Uint8Array }>(sql`
    select n, hashes from seal_tiles where level = 0 and n >= ${first} and n < ${Math.ceil(to / tileSize)} order by n`)
  const hashes: Buffer[] = []
  for (const tile of tiles) {
    for (const [at, one] of hashesIn(Buffer.from(tile.hashes)).entries()) hashes[tile.n * tileSize + at - from] = one
  }
  return Array.from(hashes.slice(0, to - from))
}

/** Appends hashes that fit into the tile in which they start, and the root of each tile that becomes full. */
export async function appendHashes(tx: Tx, start: number, hashes: readonly Buffer[], level = 0): Promise<void> {
  const n = Math.floor(start / tileSize)
  const before = await readTile(tx, level, n)
  const tile = Buffer.concat([before.subarray(0, (start % tileSize) * hashBytes), ...hashes])
  await tx.query(sql`insert into seal_tiles (level, n, hashes) values (${level}, ${n}, ${tile})
    on conflict (level, n) do update set hashes = excluded.hashes`)
  if (tile.length === tileSize * hashBytes) await appendHashes(tx, n, [rootOf(hashesIn(tile))], level + 1)
}

/** Reads nodes of the stored tree, each tile once. Throws BrokenSeal if one is missing. */
export function nodeReader(db: Tx): ReadNode {
  const tiles = new Map<string, Promise<Buffer>>()
  return async (level, index) => {
    const stored = Math.floor(level / levelsOfTile)
    const count = 2 ** (level % levelsOfTile)
    const n = Math.floor((index * count) / tileSize)
    const key = `${stored} ${n}`
    const reading = tiles.get(key) ?? readTile(db, stored, n)
    tiles.set(key, reading)
    const hashes = hashesIn(await reading)
      .slice((index * count) % tileSize)
      .slice(0, count)
    if (hashes.length === count) return rootOf(hashes)
    throw new BrokenSeal(`The stored tree of the log has no node ${index} at level ${level}: run conduct verify.`)
  }
}
