export interface Gaps {
  open(): void
  isOpen(): boolean
  /** Does work that closes the gaps that are open when it begins, once it succeeds. */
  closedBy<T>(work: () => Promise<T>): Promise<T>
}

/**
 * Whether events may be missing before those that arrive: from the begin, and from each reconnection, until the log is
 * read.
 */
export function countGaps(): Gaps {
  let opened = 1
  let closed = 0
  return {
    open() {
      opened++
    },
    isOpen: () => closed < opened,
    async closedBy(work) {
      const known = opened
      const done = await work()
      closed = Math.max(closed, known)
      return done
    },
  }
}
