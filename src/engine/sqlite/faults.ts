import { Worker } from 'node:worker_threads'
import { ConductError } from '../../contract/error.ts'

/** What keeps the statements of a database from running. */
export interface Faults {
  /** Throws UNAVAILABLE while no statement may run. */
  require(): void
  /** A statement found the file damaged. Others still run. */
  damaged(error: ConductError): void
  /** The file is another one. No statement runs any more. */
  replaced(error: ConductError): void
  /** A statement could not lock the file. Until a separate thread can, no other one tries. */
  unlockable(): void
  found(): ConductError | undefined
  close(): Promise<void>
}

const cannotLock = () =>
  new ConductError(
    'UNAVAILABLE',
    'The operating system refuses the locks of the database file: check its disk or network file system. The server tries again every few seconds.',
    { retryAfter: 5 },
  )

/** `warn` receives each fault once. */
export function createFaults(path: string, warn: (error: Error) => void): Faults {
  let damage: ConductError | undefined
  let replacement: ConductError | undefined
  let lock: ConductError | undefined
  let probe: Worker | undefined

  function free() {
    lock = undefined
    void probe?.terminate()
    probe = undefined
  }

  return {
    require() {
      const error = replacement ?? lock
      if (error) throw error
    },
    damaged(error) {
      if (!damage) warn(error)
      damage ??= error
    },
    replaced(error) {
      replacement ??= error
      warn(error)
    },
    unlockable() {
      if (lock) return
      lock = cannotLock()
      warn(lock)
      probe = new Worker(`(${tryToRead})()`, { eval: true, execArgv: [], env: {}, workerData: path })
      probe.unref()
      probe.on('message', free)
      probe.on('error', free)
    },
    found: () => replacement ?? lock ?? damage,
    close: async () => void (await probe?.terminate()),
  }
}

/**
 * The code of the thread, which refers to nothing outside. It reads until that succeeds: while the locks of the index of
 * the log fail, SQLite itself tries for ten seconds each time, and blocks its thread meanwhile.
 */
function tryToRead() {
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
  const { parentPort, workerData } = process.getBuiltinModule('node:worker_threads')
  const pause = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000)
  for (;;) {
    try {
      {
        using db = new DatabaseSync(workerData, { readOnly: true })
        db.prepare('select count(*) from sqlite_schema').get()
      }
      parentPort?.postMessage('read')
      return
    } catch {
      pause()
    }
  }
}
