import type { Event } from '../../api/event.ts'
import { lastSeq, numberEvents, readEvents, type Selected } from '../../store/log/event.ts'
import type { Store } from '../../store/open.ts'

/** How many bytes of the newest events are kept in memory for all readers. */
const keptBytes = 4_194_304
/** How many events are read from the database at once, at first and at most. */
const firstBatch = 10
const batch = 100
/** A reader is given at once what comes to so many bytes, with the event that goes beyond. */
const chunkBytes = 65_536

const encoder = new TextEncoder()

/** An event, and the message that tells of it: made once, since a thousand may read it. */
interface Told {
  event: Event
  message: Uint8Array
}

export interface Reader {
  /** The place after which it begins. */
  start: number
  /** The next messages of what it sees, for which it waits; undefined when it has left, or the server stops. */
  read(): Promise<Uint8Array | undefined>
  /** Ends the reading, also while it waits. */
  leave(): void
}

/** The log as it grows, read once for all streams of this process. It looks only while somebody reads. */
export function createFeed({ db }: Store, stopping: AbortSignal | undefined, warn: (error: Error) => void) {
  const recent: Told[] = []
  const wakes = new Set<() => void>()
  let recentBytes = 0
  let tail = 0
  let unwatch: (() => void) | undefined
  let isLooking = false
  let isDue = false
  stopping?.addEventListener('abort', wakeAll)

  function wakeAll() {
    for (const wake of wakes) wake()
  }

  /** Reads on to the end of the log; called while it does so, it looks once more. */
  async function look() {
    isDue = true
    if (isLooking) return
    isLooking = true
    while (isDue) {
      isDue = false
      await readOn().catch(warn)
    }
    isLooking = false
  }

  async function readOn() {
    await numberEvents(db)
    for (;;) {
      const events = await readEvents(db, tail, batch)
      const last = events.at(-1)
      if (!last) return
      for (const event of events) keep(toldOf(event))
      tail = last.seq
      wakeAll()
    }
  }

  function keep(told: Told) {
    recent.push(told)
    recentBytes += told.message.length
    while (recentBytes > keptBytes) recentBytes -= recent.shift()?.message.length ?? 0
  }

  function begin(end: number) {
    recent.length = 0
    recentBytes = 0
    tail = end
    unwatch = db.watch(() => void look())
  }

  /** What of the log after `at` is there for a reader, from the database at most `limit`, and up to where it was looked through. */
  async function find(at: number, limit: number, { conditions, admits }: Selected) {
    const kept = recent[0] ? recent[0].event.seq - 1 : tail
    if (at >= kept) {
      const next = recent.findLastIndex(({ event }) => event.seq <= at) + 1
      return { told: recent.slice(next).filter(({ event }) => admits(event)), end: tail }
    }
    const events = await readEvents(db, at, limit, conditions)
    const last = events.at(-1)?.seq ?? at
    // Less than that: all that was there has been looked through, memory goes on where it begins.
    return { told: events.map(toldOf), end: events.length === limit ? last : Math.max(last, kept) }
  }

  /** Begins to read after `after`, else after what is there now. */
  return async (after: number | undefined, seen: Selected): Promise<Reader> => {
    await numberEvents(db)
    const end = await lastSeq(db)
    if (wakes.size === 0) begin(end)
    const start = after ?? end
    let at = start
    let limit = firstBatch
    let hasLeft = false
    let resume = () => {}
    const wake = () => resume()
    wakes.add(wake)

    /** The next that it sees, as much as one chunk takes; nothing when it was woken for nothing. */
    async function next(): Promise<Told[]> {
      if (at >= tail) await new Promise<void>((resolve) => (resume = resolve))
      if (at >= tail) return []
      const { told, end } = await find(at, limit, seen)
      const chunk = chunkOf(told)
      const isCut = chunk.length < told.length
      at = isCut ? (chunk.at(-1)?.event.seq ?? end) : end
      // Large events are read a few at a time: what a chunk has no room for was read in vain.
      limit = isCut ? chunk.length : Math.min(limit * 2, batch)
      return chunk
    }

    return {
      start,
      async read() {
        while (!hasLeft && !stopping?.aborted) {
          const told = await next()
          if (told.length > 0) return Buffer.concat(told.map(({ message }) => message))
        }
        return undefined
      },
      leave() {
        hasLeft = true
        wakes.delete(wake)
        wake()
        if (wakes.size === 0) unwatch?.()
      },
    }
  }
}

const toldOf = (event: Event): Told => ({
  event,
  message: encoder.encode(`id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`),
})

/** The first of these, until they come to a chunk. */
function chunkOf(told: Told[]): Told[] {
  let bytes = 0
  let count = 0
  while (bytes < chunkBytes && count < told.length) bytes += told[count++]?.message.length ?? 0
  return told.slice(0, count)
}
