import type { Event } from '../event.ts'
import { lastSeq, numberEvents, readEvents, type Selected } from '../store/event.ts'
import type { Store } from '../store/open.ts'

/** How many of the newest events are kept in memory for all readers. */
const kept = 2000
/** How many are read, and given to a reader, at once. */
const batch = 200

/** The log as it grows, read once for all streams of this process. It looks only while somebody reads. */
export function createFeed({ db }: Store, warn: (error: Error) => void) {
  const recent: Event[] = []
  const waiting = new Set<() => void>()
  let readers = 0
  let tail = 0
  let unwatch: (() => void) | undefined
  let looking: Promise<void> | undefined

  /** Reads on from the tail until there is no more, and wakes whoever waits. */
  async function look() {
    await numberEvents(db)
    for (;;) {
      const events = await readEvents(db, tail, batch)
      const last = events.at(-1)
      if (!last) return
      recent.push(...events)
      recent.splice(0, recent.length - kept)
      tail = last.seq
      wakeAll()
    }
  }

  function wakeAll() {
    for (const wake of waiting) wake()
  }

  function lookSoon() {
    looking ??= look()
      .catch(warn)
      .finally(() => {
        looking = undefined
      })
    return looking
  }

  return {
    /** Where the log ends now. */
    async end(): Promise<number> {
      await numberEvents(db)
      return lastSeq(db)
    },

    /** Begins to read; the function that this gives ends it. */
    async open(): Promise<() => void> {
      const end = await this.end()
      if (readers === 0) {
        recent.length = 0
        tail = end
        unwatch = db.watch(() => void lookSoon())
      }
      readers++
      return () => {
        readers--
        if (readers === 0) unwatch?.()
      }
    },

    /** The next events after `after` that a reader sees, and the place from which it goes on: from memory where they are there. */
    async read(after: number, { conditions, admits }: Selected): Promise<{ events: Event[]; next: number }> {
      if (after >= tail) return { events: [], next: after }
      const oldest = recent[0]?.seq ?? tail + 1
      if (after < oldest - 1) {
        const events = await readEvents(db, after, batch, conditions)
        const last = events.at(-1)?.seq ?? after
        // Less than a batch: all that was there has been looked through, memory goes on where it begins.
        return { events, next: events.length === batch ? last : Math.max(last, oldest - 1) }
      }
      const events = recent.filter((event) => event.seq > after).slice(0, batch)
      return { events: events.filter(admits), next: (events.at(-1) as Event).seq }
    },

    /** Lets whoever waits look about. */
    wakeAll,

    /** Settles when there is more after `after`, after `ms`, or when all are woken. */
    wait(after: number, ms: number): Promise<void> {
      if (after < tail) return Promise.resolve()
      return new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer)
          waiting.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, ms)
        waiting.add(wake)
      })
    },
  }
}
