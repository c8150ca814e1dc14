import { permits } from '../../contract/actor.ts'
import { ConductError, invalid } from '../../contract/error.ts'
import { cut } from '../../contract/explain.ts'
import { exportLedger } from '../../export/export.ts'
import type { Store } from '../../operations/open.ts'
import { type Auth, isLive } from '../auth.ts'
import { parametersOf } from '../input.ts'
import type { Handler } from './handler.ts'

/** The most exports at a time in one process, because each keeps a view of the database open. */
const mostAtOnce = 2
/** An export ends if its reader takes nothing for `stallMs`, or has not finished after the longer limit. */
const stallMs = 60_000
const longestMs = 4 * 3_600_000
/** How often an export checks that its key or session is still valid. */
const checkEveryMs = 15_000

interface Parts {
  auth: Auth
  store: Store
  basePath: string
  stopping: AbortSignal | undefined
  warn(error: unknown): void
}

/** Streams the whole ledger as lines of JSON, no faster than the reader takes them. */
export function exportHandler({ auth, store, basePath, stopping, warn }: Parts): Handler {
  const headers = { 'content-type': 'application/x-ndjson', 'x-accel-buffering': 'no' }
  let open = 0
  return {
    label: 'exportLedger',
    methods: ['GET'],
    paths: [`${basePath}/v1/export`],
    async answer(exchange) {
      const caller = await auth.callerOf(exchange.request, exchange)
      const { actor } = caller
      if (!permits(actor.permissions, 'admin') || (actor.kind === 'key' && actor.projectId !== null)) {
        throw new ConductError('FORBIDDEN', 'An export needs a key of the whole server with the permission admin.')
      }
      const withKeys = withKeysIn(exchange.request.url)
      // It would open a view that nobody reads.
      if (exchange.request.method === 'HEAD') return { status: 200, headers, body: null }
      if (open >= mostAtOnce) {
        throw new ConductError('RATE_LIMIT_EXCEEDED', `${mostAtOnce} exports are running: wait until one ends.`, {
          retryAfter: 30,
        })
      }
      open++
      const pieces = whileLive(store, caller, exportLedger(store.db, { withKeys }))
      const body = streamOf(pieces, stopping, (error) => {
        open--
        if (error) warn(error)
      })
      return { status: 200, headers, body }
    },
  }
}

/** Passes on the pieces while the key or session that asked for them is valid. */
async function* whileLive(store: Store, caller: Parameters<typeof isLive>[1], pieces: AsyncGenerator<string>) {
  let checkedAt = Date.parse(store.now())
  for await (const piece of pieces) {
    const now = Date.parse(store.now())
    if (Math.abs(now - checkedAt) >= checkEveryMs) {
      checkedAt = now
      if (!(await isLive(store, caller))) throw new Error('The key or session of an export is no longer valid.')
    }
    yield piece
  }
}

/** Throws VALIDATION_ERROR for other parameters and values. */
function withKeysIn(url: string): boolean {
  const { withKeys = 'false' } = parametersOf(url, ['withKeys'])
  if (withKeys === 'true' || withKeys === 'false') return withKeys === 'true'
  throw invalid('withKeys', `must be true or false, not '${cut(withKeys)}'`)
}

/**
 * Streams the pieces until they end, the reader disconnects or the server stops. Calls `onEnd` once, with the error if
 * there was one.
 */
function streamOf(
  pieces: AsyncGenerator<string>,
  stopping: AbortSignal | undefined,
  onEnd: (error?: unknown) => void,
): ReadableStream {
  const encoder = new TextEncoder()
  let timer: NodeJS.Timeout | undefined
  const over = new AbortController()
  const longest = performance.now() + longestMs

  function end(error?: unknown) {
    if (over.signal.aborted) return
    over.abort()
    clearTimeout(timer)
    onEnd(error)
    void pieces.return(undefined).catch(() => {})
  }

  return new ReadableStream({
    start(controller) {
      const cut = (words: string) => {
        if (over.signal.aborted) return
        const error = new Error(words)
        end(error)
        controller.error(error)
      }
      timer = setTimeout(() => cut(`The reader of an export took nothing for ${stallMs / 1000} s.`), stallMs).unref()
      stopping?.addEventListener('abort', () => cut('The server stops: an export is cut off.'), {
        signal: over.signal,
      })
    },
    async pull(controller) {
      timer?.refresh()
      try {
        if (performance.now() > longest) throw new Error(`An export took longer than ${longestMs / 3_600_000} h.`)
        const { done, value } = await pieces.next()
        if (over.signal.aborted) return
        if (value !== undefined) controller.enqueue(encoder.encode(value))
        if (!done) return
        end()
        controller.close()
      } catch (error) {
        end(error)
        throw error
      }
    },
    cancel: () => end(),
  })
}
