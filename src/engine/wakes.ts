/** Callbacks that wait for commits. */
export class Wakes {
  readonly #wakes = new Set<() => void>()
  readonly #begin: () => void
  readonly #end: () => void
  #isDue = false
  #isClosed = false

  /** `begin` is called for each who waits, and `end` when nobody waits any more. */
  constructor(begin: () => void, end: () => void) {
    this.#begin = begin
    this.#end = end
  }

  /** Whether `close` was called. After that, nobody can wait. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Calls `wake` after commits, until the function that it returns is called. */
  watch(wake: () => void): () => void {
    if (this.#isClosed) return () => {}
    this.#wakes.add(wake)
    this.#begin()
    return () => {
      this.#wakes.delete(wake)
      if (this.#wakes.size === 0) this.#end()
    }
  }

  close(): void {
    this.#isClosed = true
    this.#wakes.clear()
    this.#end()
  }

  callAll(): void {
    for (const wake of this.#wakes) wake()
  }

  /**
   * Calls `before` and then all callbacks, once this tick of the event loop has sent its responses: once for all its
   * commits.
   */
  callSoon(before?: () => void): void {
    if (this.#isDue || this.#wakes.size === 0) return
    this.#isDue = true
    setImmediate(() => {
      this.#isDue = false
      before?.()
      this.callAll()
    })
  }
}
