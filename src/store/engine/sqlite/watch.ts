import { type FSWatcher, watch as watchFile } from 'node:fs'

/** How often the file is looked at for commits of other processes, whatever the file system tells. */
const lookEveryMs = 250
/** How soon it is looked at after its log was written to. */
const hintMs = 2

/** A database that other processes write to. */
export interface Shared {
  /** The log of its file. */
  log: string
  /** A number that differs after a commit of another connection. */
  readVersion(): number
  warn(error: Error): void
}

/** Wakes those who wait for commits: at once for those of this process, by looking for those of others. */
export function createWatcher(shared?: Shared) {
  const wakes = new Set<() => void>()
  let others: ReturnType<typeof lookForOthers> | undefined
  let isDue = false

  function wakeAll() {
    for (const wake of wakes) wake()
  }

  function stop() {
    others?.stop()
    others = undefined
  }

  return {
    watch(wake: () => void): () => void {
      wakes.add(wake)
      if (shared) others ??= lookForOthers(shared, wakeAll)
      return () => {
        wakes.delete(wake)
        if (wakes.size === 0) stop()
      }
    },
    /** Tells of a commit of this process. */
    committed() {
      if (isDue || wakes.size === 0) return
      isDue = true
      // The answers go out first.
      setImmediate(() => {
        isDue = false
        others?.hasMoved()
        wakeAll()
      })
    },
    close() {
      wakes.clear()
      stop()
    },
  }
}

/** Calls `wakeAll` when another process has committed. */
function lookForOthers({ log, readVersion, warn }: Shared, wakeAll: () => void) {
  let seen = 0
  let isFailing = false
  let soon: NodeJS.Timeout | undefined

  /** Whether something was committed since the last look. A database that cannot be read is reported once. */
  function hasMoved(): boolean {
    const last = seen
    try {
      seen = readVersion()
      isFailing = false
    } catch (error) {
      if (!isFailing) warn(error as Error)
      isFailing = true
    }
    return seen !== last
  }

  function look(): boolean {
    const moved = hasMoved()
    if (moved) wakeAll()
    return moved
  }

  /** A commit is written to the log before others can see it: it is looked for until it is there. */
  function lookSoon(ms: number) {
    soon ??= setTimeout(() => {
      soon = undefined
      if (!look() && ms < lookEveryMs) lookSoon(ms * 2)
    }, ms).unref()
  }

  hasMoved()
  const timer = setInterval(look, lookEveryMs).unref()
  const file = watchLog(log, () => lookSoon(hintMs))
  return {
    hasMoved,
    stop() {
      clearInterval(timer)
      clearTimeout(soon)
      file?.close()
    },
  }
}

/** Calls `hint` when the file is written to, where the system can tell. */
function watchLog(log: string, hint: () => void): FSWatcher | undefined {
  try {
    const file = watchFile(log, { persistent: false }, hint)
    return file.on('error', () => file.close())
  } catch {
    return undefined
  }
}
