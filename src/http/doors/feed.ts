import { lastSeq, numberEvents, readEvents, type Selected } from '../../store/log/event.ts'
import type { Store } from '../../store/open.ts'
import { Recent, type Told, toldOf } from './recent.ts'

/** How many events are read from the database at once, at first and at most. */
const firstBatch = 10
const batch = 100
/** A reader is given at once what comes to so many bytes, with the event that goes beyond. */
const chunkBytes = 65_536

type Db = Store['db']

export interface Reader {
  /** The place after which it begins. */
  start: number
  /** The next messages of what it sees, for which it waits; undefined when it has left, or the server stops. */
  read(): Promise<Uint8Array | undefined>
  /** Ends the reading, also while it waits. */
  leave(): void
}

/** The log as it grows, read once for all streams of this process. It looks only while somebody reads, and whenever something was committed. */
export function createFeed({ db }: Store, stopping: AbortSignal | undefined, warn: (error: unknown) => void) {
  const recent = new Recent()
  const wakes = new Set<() => void>()
  const look = oneAtATime(() => readOn(db, recent, wakeAll).catch(warn))
  let unwatch: (() => void) | undefined
  stopping?.addEventListener('abort', wakeAll)

  function wakeAll() {
    for (const wake of wakes) wake()
  }

  function join(wake: () => void, end: number) {
    if (wakes.size === 0) {
      recent.restart(end)
      unwatch = db.watch(look)
    }
    wakes.add(wake)
  }

  function leave(wake: () => void) {
    wakes.delete(wake)
    wake()
    if (wakes.size === 0) unwatch?.()
  }

  /** Begins to read after `after`, else after what is there now. */
  return async (after: number | undefined, seen: Selected): Promise<Reader> => {
    await numberEvents(db)
    const end = await lastSeq(db)
    const start = after ?? end
    const { read, wake } = createReader(createCursor(db, recent, start, seen))
    let isOver = false
    join(wake, end)
    return {
      start,
      read: () => read(() => isOver || stopping?.aborted === true),
      leave() {
        isOver = true
        leave(wake)
      },
    }
  }
}

/** Reads along a cursor, and waits at the end of the log until it is woken. */
function createReader(cursor: Cursor) {
  let resume = () => {}
  return {
    wake: () => resume(),
    async read(isOver: () => boolean): Promise<Uint8Array | undefined> {
      while (!isOver()) {
        if (!cursor.isBehind()) await new Promise<void>((resolve) => (resume = resolve))
        const told = await cursor.next()
        if (told.length > 0) return Buffer.concat(told.map(({ message }) => message))
      }
      return undefined
    },
  }
}

/** Reads on to the end of the log. */
async function readOn(db: Db, recent: Recent, wakeAll: () => void) {
  await numberEvents(db)
  for (;;) {
    const events = await readEvents(db, recent.end, batch)
    if (events.length === 0) return
    recent.add(events)
    wakeAll()
  }
}

/** Does `work` whenever it is called; called while it does so, once more. */
function oneAtATime(work: () => Promise<void>) {
  let isDue = false
  let isBusy = false
  return async () => {
    isDue = true
    if (isBusy) return
    isBusy = true
    while (isDue) {
      isDue = false
      await work()
    }
    isBusy = false
  }
}

type Cursor = ReturnType<typeof createCursor>

/** One reader's way along the log: from memory where that reaches back far enough, else from the database. */
function createCursor(db: Db, recent: Recent, start: number, { conditions, admits }: Selected) {
  let at = start
  let limit = firstBatch

  /** What there is after `at`, from the database at most `limit`, and up to where the log was looked through. */
  async function find(): Promise<{ told: Told[]; end: number }> {
    if (at >= recent.start) return { told: recent.after(at).filter(({ event }) => admits(event)), end: recent.end }
    const kept = recent.start
    const events = await readEvents(db, at, limit, conditions)
    const last = events.at(-1)?.seq ?? at
    // Less than that: all that was there has been looked through, memory goes on where it begins.
    return { told: events.map(toldOf), end: events.length === limit ? last : Math.max(last, kept) }
  }

  return {
    isBehind: () => at < recent.end,
    /** The next events that the reader sees, as many as one chunk takes; none where there is nothing new. */
    async next(): Promise<Told[]> {
      if (at >= recent.end) return []
      const { told, end } = await find()
      const chunk = chunkOf(told)
      const isCut = chunk.length < told.length
      at = isCut ? (chunk.at(-1)?.event.seq ?? end) : end
      // Large events are read a few at a time: what a chunk has no room for was read in vain.
      limit = isCut ? chunk.length : Math.min(limit * 2, batch)
      return chunk
    },
  }
}

/** The first of these, until they come to a chunk. */
function chunkOf(told: Told[]): Told[] {
  let bytes = 0
  let count = 0
  while (bytes < chunkBytes && count < told.length) bytes += told[count++]?.message.length ?? 0
  return told.slice(0, count)
}
