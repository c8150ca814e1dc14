import { type FSWatcher, watch as watchFile } from 'node:fs'
import { Wakes } from '../wakes.ts'

/**
 * Wakes callers that wait for commits: soon after commits of this process, and by polling for those of others. Without
 * `shared`, no other process can write to the database.
 */
export function createWatcher(shared?: Shared) {
  let others: Others | undefined
  const begin = () => {
    if (shared) others ??= new Others(shared, () => wakes.callAll())
  }
  const end = () => {
    others?.stop()
    others = undefined
  }
  const wakes = new Wakes(begin, end)

  return {
    watch: (wake: () => void) => wakes.watch(wake),
    /** Reports a commit of this process. */
    committed: () => wakes.callSoon(() => others?.hasCommitted()),
    close: () => wakes.close(),
  }
}

/** How often to look for commits of other processes, whatever the file system reports. */
const lookEveryMs = 250
/** How soon to look after a change of the log. */
const hintMs = 2

/** A database that other processes write to. */
interface Shared {
  /** The log of the database file. */
  log: string
  /** Returns a number that changes with each commit of another connection. */
  readVersion(): number
  warn(error: Error): void
}

/** Calls `wake` after commits of other processes, until it is stopped. */
class Others {
  readonly #shared: Shared
  readonly #wake: () => void
  readonly #timer: NodeJS.Timeout
  readonly #file: FSWatcher | undefined
  #soon: NodeJS.Timeout | undefined
  #seen = 0
  #isFailing = false

  constructor(shared: Shared, wake: () => void) {
    this.#shared = shared
    this.#wake = wake
    this.hasCommitted()
    this.#timer = setInterval(() => this.#look(), lookEveryMs).unref()
    this.#file = watchLog(shared.log, () => this.#lookSoon(hintMs))
  }

  /** Whether anything was committed since the last call. An unreadable database is reported once. */
  hasCommitted(): boolean {
    const last = this.#seen
    try {
      this.#seen = this.#shared.readVersion()
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing) this.#shared.warn(error as Error)
      this.#isFailing = true
    }
    return this.#seen !== last
  }

  stop(): void {
    clearInterval(this.#timer)
    clearTimeout(this.#soon)
    this.#file?.close()
  }

  #look(): boolean {
    const hasCommitted = this.hasCommitted()
    if (hasCommitted) this.#wake()
    return hasCommitted
  }

  /** The log is written before others can see the commit, so look until it is visible. */
  #lookSoon(ms: number): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined
      if (!this.#look() && ms < lookEveryMs) this.#lookSoon(ms * 2)
    }, ms).unref()
  }
}

/** Calls `hint` when the file is written to, if the system reports that. */
function watchLog(log: string, hint: () => void): FSWatcher | undefined {
  try {
    const file = watchFile(log, { persistent: false }, hint)
    return file.on('error', () => file.close())
  } catch {
    return undefined
  }
}
