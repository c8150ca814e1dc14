import { type BigIntStats, statSync } from 'node:fs'
import { ConductError } from '../../../api/error.ts'

/**
 * Remembers, after a first `read` has made those that were missing, the files of the open database at `path`; what this gives throws UNAVAILABLE when one of them has been deleted
 * or replaced since. What is committed from then on goes where nobody will find it.
 */
export function fileGuard(path: string, read: () => void): () => void {
  read()
  const names = [path, `${path}-wal`, `${path}-shm`]
  const opened = names.map(look)
  return () => {
    if (names.every((name, index) => isSame(look(name), opened[index]))) return
    throw new ConductError(
      'UNAVAILABLE',
      'The database file was deleted or replaced while the server runs: nothing can be written until the server is restarted.',
    )
  }
}

function look(name: string): BigIntStats | undefined {
  try {
    return statSync(name, { bigint: true, throwIfNoEntry: false })
  } catch {
    return undefined
  }
}

const isSame = (now: BigIntStats | undefined, then: BigIntStats | undefined) =>
  now !== undefined && now.ino === then?.ino && now.dev === then?.dev
