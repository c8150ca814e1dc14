import { ConductError } from '../../api/error.ts'
import type { Parsed } from '../../api/routes.ts'
import { type Ctx, keyIdOf } from '../../store/ctx.ts'
import { findKeyById } from '../../store/key/key.ts'
import { findSession } from '../../store/key/session.ts'
import { selected } from '../../store/log/event.ts'
import type { Store } from '../../store/open.ts'
import { createFeed } from './feed.ts'

/** How often a stream says that it is still there, and looks whether its key or session still lives. */
const beatEveryMs = 15_000
const streamsPerProcess = 1000
const streamsPerKey = 20

const encoder = new TextEncoder()
const stillHere = encoder.encode(': still here\n\n')

/** Serves the log as server-sent events (html.spec.whatwg.org/multipage/server-sent-events.html). */
export function createEventStreams(store: Store, stopping: AbortSignal | undefined, warn: (error: Error) => void) {
  const openReader = createFeed(store, stopping, warn)
  const open = new Map<number, number>()
  let total = 0

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
    const keyId = keyIdOf(ctx)
    const give = take(keyId ?? 0)
    const reader = await openReader(after, seen).catch((error) => {
      give()
      throw error
    })
    let isOver = false
    let beats: NodeJS.Timeout | undefined

    function end() {
      if (isOver) return
      isOver = true
      clearInterval(beats)
      reader.leave()
      give()
    }

    function close(controller: ReadableStreamDefaultController) {
      if (isOver) return
      end()
      controller.close()
    }

    async function beat(controller: ReadableStreamDefaultController) {
      // What cannot be looked up is taken for over: whoever has a living key comes again.
      const lives = await mayGoOn(ctx).catch(warn)
      if (!lives) close(controller)
      else if (!isOver && Number(controller.desiredSize) > 0) controller.enqueue(stillHere)
    }

    return new ReadableStream({
      start(controller) {
        // The place from which it begins: whoever loses the connection before the first event goes on from there.
        controller.enqueue(encoder.encode(`: events follow\nid: ${reader.start}\n\n`))
        beats = setInterval(() => void beat(controller), beatEveryMs)
      },
      async pull(controller) {
        const messages = await reader.read().catch(warn)
        if (!messages) close(controller)
        else if (!isOver) controller.enqueue(messages)
      },
      cancel: end,
    })
  }
}

const tooMany = (why: string) =>
  new ConductError('RATE_LIMIT_EXCEEDED', `${why}: end one before you open another.`, { retryAfter: 15 })
