import { accessSync, type BigIntStats, statSync } from 'node:fs'
import { ConductError } from '../../../api/error.ts'

/**
 * How often to check the log thoroughly. That makes the next write slower, because the kernel must then record its
 * time.
 */
const closelyEveryMs = 1_000

/**
 * Remembers the files of the open database at `path`, after a first `read` has created missing ones. The returned
 * function throws UNAVAILABLE once one of them was deleted or replaced: later commits would go where nobody can find
 * them.
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
    // Until the files are back.
    lookedAt = Number.NEGATIVE_INFINITY
    throw new ConductError(
      'UNAVAILABLE',
      'The database file was deleted or replaced while the server was running: restart the server before you write.',
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
