import { ConductError } from '../error.ts'
import type { Event } from '../event.ts'
import type { Parsed } from '../routes.ts'
import { type Ctx, keyIdOf } from '../store/ctx.ts'
import { selected } from '../store/event.ts'
import { findKeyById } from '../store/key.ts'
import type { Store } from '../store/open.ts'
import { findSession } from '../store/session.ts'
import { createFeed } from './feed.ts'

/** A stream that has nothing to tell says so, and looks whether its key still lives. */
const commentEveryMs = 15_000
const streamsPerProcess = 1000
const streamsPerKey = 20

const encoder = new TextEncoder()

/** Serves the log as server-sent events (html.spec.whatwg.org/multipage/server-sent-events.html). */
export function createEventStreams(store: Store, stopping: AbortSignal | undefined, warn: (error: Error) => void) {
  const feed = createFeed(store, warn)
  const open = new Map<number, number>()
  let total = 0
  stopping?.addEventListener('abort', feed.wakeAll)

  function take(keyId: number) {
    const ofKey = open.get(keyId) ?? 0
    if (total >= streamsPerProcess) throw tooMany(`This server has its ${streamsPerProcess} streams`)
    if (ofKey >= streamsPerKey) throw tooMany(`This key has its ${streamsPerKey} streams`)
    total++
    open.set(keyId, ofKey + 1)
    return () => {
      total--
      const left = (open.get(keyId) ?? 1) - 1
      if (left > 0) open.set(keyId, left)
      else open.delete(keyId)
    }
  }

  /** Whether the key or session that opened a stream still lives. */
  async function mayGoOn(ctx: Ctx): Promise<boolean> {
    const now = store.now()
    const keyId = keyIdOf(ctx)
    if (ctx.session !== undefined) return (await findSession(store.db, ctx.session, now)) !== undefined
    return keyId === null || (await findKeyById(store.db, keyId, now)) !== undefined
  }

  /**
   * The events after `after` (else from now on) as a body that goes on until its reader, its key or the server ends. It is
   * read only as fast as its reader takes it. NOT_FOUND for an unknown project; RATE_LIMIT_EXCEEDED for too many streams.
   */
  return async (ctx: Ctx, { after, ...selection }: Omit<Parsed<'listEvents'>, 'limit'>): Promise<ReadableStream> => {
    const seen = await selected(ctx, selection)
    let at = after ?? (await feed.end())
    const keyId = keyIdOf(ctx)
    const give = take(keyId ?? 0)
    const leave = await feed.open().catch((error) => {
      give()
      throw error
    })
    let isOver = false
    let commentedAt = performance.now()

    function end() {
      if (isOver) return
      isOver = true
      leave()
      give()
    }

    /** The next thing to say: events, or a comment when it is time for one; undefined at the end. */
    async function next(): Promise<string | undefined> {
      while (!isOver && !stopping?.aborted) {
        const left = commentedAt + commentEveryMs - performance.now()
        if (left <= 0) {
          if (!(await mayGoOn(ctx))) return undefined
          commentedAt = performance.now()
          return ': still here\n\n'
        }
        const { events, next } = await feed.read(at, seen)
        at = next
        if (events.length > 0) return events.map(textOf).join('')
        await feed.wait(at, left)
      }
      return undefined
    }

    return new ReadableStream({
      // The place from which it begins: whoever loses the connection before the first event goes on from there.
      start: (controller) => controller.enqueue(encoder.encode(`: events follow\nid: ${at}\n\n`)),
      async pull(controller) {
        const text = await next().catch((error) => {
          warn(error)
          return undefined
        })
        if (text !== undefined) return controller.enqueue(encoder.encode(text))
        end()
        controller.close()
      },
      cancel: end,
    })
  }
}

const textOf = (event: Event) => `id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`

const tooMany = (why: string) =>
  new ConductError('RATE_LIMIT_EXCEEDED', `${why}: end one before you open another.`, { retryAfter: 15 })
