import { Wakes } from '../wakes.ts'
import { Others, type Shared } from './others.ts'

/**
 * Wakes callers that wait for commits: soon after commits of this process, and by polling for those of others. Without
 * `shared`, no other process can write to the database.
 */
export function createWatcher(shared?: Shared) {
  const wakes = new Wakes()
  let others: Others | undefined

  function stop() {
    others?.stop()
    others = undefined
  }

  return {
    watch(wake: () => void): () => void {
      if (wakes.isClosed) return () => {}
      wakes.add(wake)
      if (shared) others ??= new Others(shared, () => wakes.callAll())
      return () => {
        wakes.delete(wake)
        if (wakes.isEmpty) stop()
      }
    },
    /** Reports a commit of this process. */
    committed: () => wakes.callSoon(() => others?.hasCommitted()),
    close() {
      wakes.close()
      stop()
    },
  }
}
