import { accessSync, type BigIntStats, statSync } from 'node:fs'
import { ConductError } from '../../../api/error.ts'

/** How often the log is looked at closely: that makes the write which follows dearer, as the kernel must then note its time. */
const closelyEveryMs = 1_000

/**
 * Remembers, after a first `read` has made those that were missing, the files of the open database at `path`; what this
 * gives throws UNAVAILABLE when one of them has been deleted or replaced since. What is committed from then on goes where
 * nobody will find it.
 */
export function fileGuard(path: string, read: () => void): () => void {
  read()
  const log = `${path}-wal`
  const names = [path, `${path}-shm`, log]
  const opened = names.map(look)
  let lookedAt = performance.now()

  function areThere(): boolean {
    const isClose = performance.now() - lookedAt > closelyEveryMs
    if (isClose) lookedAt = performance.now()
    else if (!exists(log)) return false
    const looked = isClose ? names : names.slice(0, 2)
    return looked.every((name, index) => isSame(look(name), opened[index]))
  }

  return () => {
    if (areThere()) return
    // Until all is as it was.
    lookedAt = Number.NEGATIVE_INFINITY
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

function exists(name: string): boolean {
  try {
    accessSync(name)
    return true
  } catch {
    return false
  }
}

const isSame = (now: BigIntStats | undefined, then: BigIntStats | undefined) =>
  now !== undefined && now.ino === then?.ino && now.dev === then?.dev
