/** SQLITE_BUSY, also with the reasons that the extended codes of SQLite add. */
const busy = 5

/** Whether another connection held the file. */
export const isBusy = (error: unknown) =>
  error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === busy

const pauseMs = 5

/**
 * Repeats `work` while another connection holds the file, for at most `withinMs`. It blocks the thread meanwhile. SQLite
 * waits by itself for most locks, but not for the one that turns the write-ahead log on.
 */
export function whenFree<T>(work: () => T, withinMs: number): T {
  const until = performance.now() + withinMs
  for (;;) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs)
    }
  }
}
