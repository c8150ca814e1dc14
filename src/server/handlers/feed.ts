import { setImmediate } from 'node:timers/promises'
import type { LogPosition } from '../../log/event-id.ts'
import type { Selected } from '../../log/list.ts'
import { numberEvents } from '../../log/number.ts'
import { type EventJson, readEnd, readEventId, readLines, requireKept, requirePlace } from '../../log/read.ts'
import type { Store } from '../../operations/open.ts'
import { entryOf, messageById, Recent, type RecentEvent } from './recent.ts'

/** How many events to read from the database at once, at first and at most. An event may be large, and many streams may open at once. */
const firstBatch = 1
const batch = 100
/** A chunk ends with the event that reaches this size. */
const chunkBytes = 65_536

type Db = Store['db']

export interface Reader {
  /** The place after which it begins. */
  start: LogPosition
  /** Waits for the next messages. Returns undefined after `leave`, or when the server stops. */
  read(): Promise<Uint8Array | undefined>
  /** The end of the log, while `read` waits there: all before it was returned, or is not for this reader. */
  place(): LogPosition | undefined
  /** Stops the reader, even while `read` waits. */
  leave(): void
}

/** Follows the log once for all streams of this process. It reads after each commit, and only while there are readers. */
export class Feed {
  readonly #db: Db
  readonly #stopping: AbortSignal | undefined
  readonly #recent = new Recent()
  readonly #queue = createFairQueue()
  readonly #wakes = new Set<() => void>()
  readonly #look: () => Promise<void>
  #unwatch: (() => void) | undefined
  /** Readers of an earlier history end. */
  #history = 0

  constructor({ db }: Store, stopping: AbortSignal | undefined, warn: (error: unknown) => void) {
    this.#db = db
    this.#stopping = stopping
    const wakeAll = () => this.#wakeAll()
    this.#look = oneAtATime(() => readOn(db, this.#recent, wakeAll, (end) => this.#fork(end)).catch(warn))
    stopping?.addEventListener('abort', wakeAll)
  }

  /**
   * Opens a reader that begins after `after`, or at the end of the log. One that begins after an id gets messages with such
   * ids. Throws LOG_FORKED when the log does not have the event at `after`, EVENTS_DROPPED as `requirePlace`.
   */
  async open(after: LogPosition | undefined, seen: Selected): Promise<Reader> {
    await numberEvents(this.#db)
    const end = await readEnd(this.#db)
    const start = after ? await requirePlace(this.#db, after) : end
    const cursor = createCursor(this.#readBehind, this.#recent, start.seq, seen)
    const { read, wake, isWaiting } = createReader(
      cursor,
      after?.id === undefined ? ({ message }) => message : messageById,
    )
    let isOver = false
    const history = this.#history
    this.#join(wake, end)
    return {
      start,
      read: () => read(() => isOver || history !== this.#history || this.#stopping?.aborted === true),
      place: () => (isWaiting() && history === this.#history ? this.#recent.place : undefined),
      leave: () => {
        isOver = true
        this.#leave(wake)
      },
    }
  }

  /** Reads for readers that are behind: many of them may come at once, each to read thousands of events. */
  readonly #readBehind: ReadBehind = (after, limit, parts) =>
    this.#queue(async () => {
      const history = this.#history
      const { end, endId } = this.#recent
      // Events up to `end` belong to projects that are there now.
      const lines = await readLines(this.#db, { after, before: end + 1 }, limit, await parts())
      // A reader that has lost events unread ends, and learns of it when it comes back.
      await requireKept(this.#db, after)
      // A reader that is behind has a place before the end of `recent`: while the log has that event, it has the place.
      if (end === 0 || (await readEventId(this.#db, end)) === endId) return lines
      if (this.#history === history) this.#fork(await readEnd(this.#db))
      return []
    })

  #join(wake: () => void, end: LogPosition) {
    if (this.#wakes.size === 0) {
      this.#recent.restart(end)
      this.#unwatch = this.#db.watch(this.#look)
      // For what was committed after `end` was read.
      void this.#look()
    }
    this.#wakes.add(wake)
  }

  #leave(wake: () => void) {
    this.#wakes.delete(wake)
    wake()
    if (this.#wakes.size === 0) this.#unwatch?.()
  }

  /** Ends all readers: the log does not have the newest event that was read. They learn that when they come back. */
  #fork(end: LogPosition) {
    this.#history++
    this.#recent.restart(end)
    this.#wakeAll()
  }

  #wakeAll() {
    for (const wake of this.#wakes) wake()
  }
}

/** Reads along a cursor and waits at the end of the log until `wake` is called. */
function createReader(cursor: Cursor, messageOf: (entry: RecentEvent) => Uint8Array) {
  let resume: (() => void) | undefined
  return {
    wake: () => resume?.(),
    isWaiting: () => resume !== undefined && cursor.isAtEnd(),
    async read(isOver: () => boolean): Promise<Uint8Array | undefined> {
      while (!isOver()) {
        if (!cursor.isBehind()) {
          await new Promise<void>((resolve) => (resume = resolve))
          resume = undefined
          continue
        }
        const [first, ...others] = (await cursor.next()).map(messageOf)
        // Meanwhile the log may have lost events, and others have their numbers.
        if (isOver()) break
        if (first) return others.length === 0 ? first : Buffer.concat([first, ...others])
      }
      return undefined
    },
  }
}

/** Events after which earlier ones are read from the database again. */
const outdates: ReadonlySet<string> = new Set(['erasure.created', 'project.deleted'])

/** Reads to the end of the log. Calls `fork` with that end when the log does not have the newest event that was read. */
async function readOn(db: Db, recent: Recent, wakeAll: () => void, fork: (end: LogPosition) => void) {
  await numberEvents(db)
  for (;;) {
    // With the newest event that was read, in one statement: between two, another history may take the place of this one.
    const { end, endId } = recent
    const lines = await readLines(db, { after: Math.max(end - 1, 0) }, batch + 1)
    const known = end > 0 ? lines.shift() : undefined
    if (known?.event.id !== endId) return fork(await readEnd(db))
    if (lines.length === 0) return
    const erased = lines.findLast(({ event }) => outdates.has(event.type))?.event
    // What was kept before may have texts that are erased in the database, or the slug of a project that another has now.
    if (erased) recent.restart({ seq: erased.seq - 1 })
    recent.add(erased ? lines.filter(({ event }) => event.seq >= erased.seq) : lines)
    wakeAll()
  }
}

/** Runs `work` on each call; a call during a run causes one more run. */
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
type ReadBehind = (after: number, limit: number, parts: Selected['parts']) => Promise<EventJson[]>

/** One reader's position in the log. It reads from memory if that reaches back far enough, else from the database. */
function createCursor(readBehind: ReadBehind, recent: Recent, start: number, { parts, admits }: Selected) {
  let at = start
  let limit = firstBatch

  /** The events after `at` (at most `limit` from the database), and how far the log was searched. */
  async function find(): Promise<{ entries: RecentEvent[]; end: number }> {
    if (at >= recent.start) return { entries: recent.after(at).filter(admits), end: recent.end }
    const kept = recent.start
    const lines = await readBehind(at, limit, parts)
    const last = lines.at(-1)?.event.seq ?? at
    // A short batch means that the log was searched completely; memory covers the rest.
    return { entries: lines.map(entryOf), end: lines.length === limit ? last : Math.max(last, kept) }
  }

  return {
    isBehind: () => at < recent.end,
    /** False for a reader that has events which the feed has yet to read, too. */
    isAtEnd: () => at === recent.end,
    /** The next events for this reader, at most one chunk; none if there is nothing new. */
    async next(): Promise<RecentEvent[]> {
      if (at >= recent.end) return []
      const { entries, end } = await find()
      const chunk = chunkOf(entries)
      const isCut = chunk.length < entries.length
      at = isCut ? (chunk.at(-1)?.event.seq ?? end) : end
      // Events beyond the chunk were read in vain, so read fewer of such large ones.
      limit = isCut ? chunk.length : Math.min(limit * 2, batch)
      return chunk
    },
  }
}

/** The first events that fill a chunk. */
function chunkOf(entries: RecentEvent[]): RecentEvent[] {
  let bytes = 0
  let count = 0
  while (bytes < chunkBytes && count < entries.length) bytes += entries[count++]?.message.length ?? 0
  return entries.slice(0, count)
}

/** How long the queue may keep the event loop to itself, in milliseconds. */
const shareMs = 5

/**
 * A queue that starts one piece of work after another: each when the one before is done, or when the event loop has gone
 * round once. A database in this process returns sooner than that, so without a pause a long queue would hold up every
 * other request.
 */
function createFairQueue() {
  let last: Promise<unknown> = Promise.resolve()
  let began = 0

  async function pause() {
    if (performance.now() - began < shareMs) return
    await setImmediate()
    began = performance.now()
  }

  return <T>(work: () => Promise<T>): Promise<T> => {
    const started = last.then(pause)
    const working = started.then(work)
    last = started.then(() => Promise.race([working, setImmediate()])).catch(() => {})
    return working
  }
}
