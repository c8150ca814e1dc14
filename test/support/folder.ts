import { statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'

const inMemory = '/dev/shm'
const wanted = 2 * 2 ** 30

/**
 * Where the tests keep databases: in memory, where the system has room there, since nothing in `npm test` needs them on
 * a disk. The proofs at full size do.
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
