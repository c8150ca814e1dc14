import { statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'

export const inMemory = '/dev/shm'
const wanted = 2 * 2 ** 30

/**
 * Where tests keep databases: in memory if possible, because nothing in `npm test` needs a disk. The proofs at full
 * size do.
 */
export const databaseFolder = process.env.CONDUCT_PROOF === undefined && hasRoom() ? inMemory : tmpdir()

function hasRoom(): boolean {
  try {
    const { bavail, bsize } = statfsSync(inMemory)
    return bavail * bsize > wanted
  } catch {
    return false
  }
}
