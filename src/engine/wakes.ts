/** Callbacks that wait for commits. */
export class Wakes {
  readonly #wakes = new Set<() => void>()
  #isDue = false
  #isClosed = false

  /** Whether `close` was called. After that, nobody can wait. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  get isEmpty(): boolean {
    return this.#wakes.size === 0
  }

  add(wake: () => void): void {
    this.#wakes.add(wake)
  }

  delete(wake: () => void): void {
    this.#wakes.delete(wake)
  }

  close(): void {
    this.#isClosed = true
    this.#wakes.clear()
  }

  callAll(): void {
    for (const wake of this.#wakes) wake()
  }

  /**
   * Calls `before` and then all callbacks, once this tick of the event loop has sent its responses: once for all its
   * commits.
   */
  callSoon(before?: () => void): void {
    if (this.#isDue || this.isEmpty) return
    this.#isDue = true
    setImmediate(() => {
      this.#isDue = false
      before?.()
      this.callAll()
    })
  }
}
