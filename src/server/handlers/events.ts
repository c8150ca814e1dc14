import { parseAccept } from 'hono/utils/accept'
import { ConductError, invalid } from '../../contract/error.ts'
import { cut } from '../../contract/explain.ts'
import { addressOf } from '../../contract/paths.ts'
import { type Ctx, keyIdOf } from '../../frame/ctx.ts'
import { areThere } from '../../frame/scope.ts'
import { type LogPosition, placeOf, placePattern } from '../../log/event-id.ts'
import { type Selected, selected } from '../../log/list.ts'
import type { Store } from '../../operations/open.ts'
import type { Parsed } from '../../operations/routes.ts'
import { isLive } from '../auth.ts'
import type { Endpoint } from '../endpoint.ts'
import type { Metrics } from '../metrics.ts'
import { Feed, type Reader } from './feed.ts'
import type { Handler } from './handler.ts'

/** How often a stream sends its place and checks that its key or session is still valid. */
const beatEveryMs = 15_000

const encoder = new TextEncoder()

interface Parts {
  endpoint: Endpoint<'listEvents'>
  store: Store
  basePath: string
  stopping: AbortSignal | undefined
  metrics: Metrics
  warn(error: unknown): void
}

/** Serves the log as server-sent events (html.spec.whatwg.org/multipage/server-sent-events.html) if Accept asks for them. */
export function eventsHandler({ endpoint, store, basePath, stopping, metrics, warn }: Parts): Handler {
  const feed = new Feed(store, stopping, warn)
  const takePlace = createPlaces()
  const headers = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' }

  return {
    label: 'listEvents',
    methods: ['GET'],
    paths: [basePath + addressOf('listEvents').path],
    // HEAD would open a stream that nobody reads.
    takes: (request) => request.method === 'GET' && prefersStream(request.header('accept')),
    async answer(exchange) {
      const ctx = await endpoint.enter(exchange)
      const { parsed } = await endpoint.read(exchange)
      requireForward(parsed)
      const { after, ...selection } = resumed(parsed, exchange.request.header('last-event-id'))
      const seen = await selected(ctx, selection)
      const givePlaceBack = takePlace(ctx)
      const reader = await feed.open(after, seen).catch((error) => {
        givePlaceBack()
        throw error
      })
      const closed = metrics.openStream()
      const leave = () => {
        reader.leave()
        givePlaceBack()
        closed()
      }
      const marked = (words: string, place: LogPosition) => placeMessage(words, place, after?.id !== undefined)
      const lives = () => mayGoOn(store, ctx, seen)
      return { status: 200, headers, body: streamOf({ ...reader, leave }, marked, lives, warn) }
    },
  }
}

/** Whether the Accept header names streams, and does not give JSON more weight. Wildcards mean JSON. */
function prefersStream(accept = ''): boolean {
  if (!/event-stream/i.test(accept)) return false
  const weights = new Map(parseAccept(accept).map(({ type, q }) => [type.toLowerCase(), q]))
  const weight = weights.get('text/event-stream') ?? 0
  return weight > 0 && weight >= (weights.get('application/json') ?? 0)
}

/** Throws VALIDATION_ERROR for what only pages have. */
function requireForward({ order, before }: Parsed<'listEvents'>): void {
  if (order === 'desc') throw invalid('order', "must be 'asc' for a stream, which only goes forward")
  if (before !== undefined) throw invalid('before', 'is only for pages, as a stream has no end: leave it out')
}

/** The input with the position of a browser that reconnects, which sends the last id it received as Last-Event-ID. */
function resumed(input: Parsed<'listEvents'>, lastEventId: string | undefined): Parsed<'listEvents'> {
  if (lastEventId === undefined) return input
  if (placePattern.test(lastEventId)) return { ...input, after: placeOf(lastEventId) }
  const words = `The Last-Event-ID '${cut(lastEventId)}' is not the id or seq of an event, like 41-9f3c1a2b0d4e or 41.`
  throw new ConductError('BAD_REQUEST', words)
}

/** Whether the key or session that opened a stream is still valid, and the projects of which it tells are there. */
const mayGoOn = async (store: Store, ctx: Ctx, { projects }: Selected): Promise<boolean> =>
  (await areThere(store.db, projects)) && isLive(store, ctx)

/**
 * A message without an event: a client that then loses the connection resumes from that id, even if its filter has left out
 * all events since. The client of Conduct reads `after`, a field that others ignore.
 */
const placeMessage = (words: string, { seq, id = String(seq) }: LogPosition, isById: boolean) =>
  encoder.encode(`: ${words}\nafter: ${id}\nid: ${isById ? id : seq}\n\n`)

/**
 * Streams what a reader returns until the client, its key or the server ends it. Reads only as fast as the client does.
 */
function streamOf(
  reader: Reader,
  marked: (words: string, place: LogPosition) => Uint8Array,
  lives: () => Promise<boolean>,
  warn: (error: unknown) => void,
): ReadableStream {
  let isOver = false
  let beats: NodeJS.Timeout | undefined

  function end() {
    if (isOver) return
    isOver = true
    clearInterval(beats)
    reader.leave()
  }

  function close(controller: ReadableStreamDefaultController) {
    if (isOver) return
    end()
    controller.close()
  }

  async function beat(controller: ReadableStreamDefaultController) {
    // If the check itself fails, end the stream: clients with a valid key reconnect.
    if (!(await lives().catch(warn))) return close(controller)
    if (isOver || Number(controller.desiredSize) <= 0) return
    const place = reader.place()
    controller.enqueue(place ? marked('still here', place) : encoder.encode(': still here\n\n'))
  }

  return new ReadableStream({
    start(controller) {
      controller.enqueue(marked('events follow', reader.start))
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

const streamsPerProcess = 1000
const streamsPerProject = 200
const streamsPerKey = 20

/** Something that may have at most so many open streams. */
interface Share {
  id: string
  words: string
  most: number
}

/**
 * Limits the open streams of this process. The returned function reserves one for a caller and returns its release. It
 * throws RATE_LIMIT_EXCEEDED when the process, the key, or the project of a project key has reached its limit.
 */
function createPlaces() {
  const taken = new Map<string, number>()
  const count = ({ id }: Share, more: 1 | -1) => {
    const left = (taken.get(id) ?? 0) + more
    if (left > 0) taken.set(id, left)
    else taken.delete(id)
  }

  return (ctx: Ctx) => {
    const shares = sharesOf(ctx)
    const full = shares.find(({ id, most }) => (taken.get(id) ?? 0) >= most)
    if (full) throw tooMany(full)
    for (const share of shares) count(share, 1)
    return () => {
      for (const share of shares) count(share, -1)
    }
  }
}

function sharesOf(ctx: Ctx): Share[] {
  const shares = [
    { id: 'server', words: 'This server', most: streamsPerProcess },
    { id: `key ${keyIdOf(ctx)}`, words: 'This key', most: streamsPerKey },
  ]
  // A project admin can create any number of keys. Server keys belong to the operator.
  const { actor, project } = ctx
  if (actor.kind === 'key' && actor.projectId !== null) {
    shares.push({ id: `project ${actor.projectId}`, words: `The project '${project.slug}'`, most: streamsPerProject })
  }
  return shares
}

const tooMany = ({ words, most }: Share) =>
  new ConductError(
    'RATE_LIMIT_EXCEEDED',
    `${words} already has ${most} streams open: close one before you open another.`,
    {
      retryAfter: 15,
    },
  )
