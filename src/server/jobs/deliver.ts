import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import sql from 'sql-template-tag'
import { shifted } from '../../contract/span.ts'
import type { Send } from '../../frame/ctx.ts'
import { type Batch, readBatch } from '../../nouns/webhook/batch.ts'
import {
  claim,
  findDue,
  finish,
  isOfOther,
  isOther,
  isWebhook,
  passOver,
  release,
  renew,
  type WebhookLease,
} from '../../nouns/webhook/due.ts'
import { messageOf } from '../../nouns/webhook/message.ts'
import type { WebhookRow } from '../../nouns/webhook/row.ts'
import type { Store } from '../../operations/open.ts'

/** How many webhooks a server sends to at the same time. */
const mostAtOnce = 64
/** How long a webhook stays reserved for a server that no longer reports, in milliseconds. */
const leaseMs = 6_000
const renewMs = 2_000
/** How many webhooks one step reads. */
const readAtOnce = 200
/** How often to advance webhooks past events they do not send, unless there are many such events. */
const passOverMs = 10_000

/** What the deliveries of one server share. */
interface Delivering {
  db: Store['db']
  now: Store['now']
  send: Send
  /** The address of the page, for links in messages to people. */
  publicUrl?: string | undefined
  warn(error: Error): void
  /** Identifies this server in reservations. */
  server: string
  /** Aborted when the server stops. */
  stopping: AbortController
  /** The deliveries in progress, by the ids of their webhooks. */
  underWay: Map<number, UnderWay>
}

interface UnderWay {
  /** 0 for a webhook of the whole server. */
  project: number
  work: Promise<void>
}

/**
 * Sends the events of the log to webhooks, one batch at a time per webhook across all servers. `step` starts what is
 * due and waits for none of it. `warn` receives errors that are not the fault of a receiver.
 */
export function createDeliverer(
  { db, now }: Pick<Store, 'db' | 'now'>,
  { send, warn, publicUrl }: Pick<Delivering, 'send' | 'warn' | 'publicUrl'>,
) {
  const stopping = new AbortController()
  const underWay = new Map<number, UnderWay>()
  const delivering: Delivering = { db, now, send, publicUrl, warn, server: randomUUID(), stopping, underWay }
  let passedOverAt = Number.NEGATIVE_INFINITY

  async function passOverSome(idle: WebhookRow[]): Promise<void> {
    if (idle.length === 0) return
    if (idle.length < readAtOnce / 2 && performance.now() - passedOverAt < passOverMs) return
    passedOverAt = performance.now()
    await passOver(db, idle, now())
  }

  return {
    async step(): Promise<boolean> {
      await passOverSome(await startDue(delivering))
      return false
    },

    /** Aborts deliveries in progress. Another server, or this one after its next start, sends them again. */
    async stop(): Promise<void> {
      stopping.abort()
      await Promise.all([...underWay.values()].map(({ work }) => work))
    },
  }
}

/** Starts the deliveries that are due. Returns the webhooks for which there is no event. */
async function startDue(delivering: Delivering): Promise<WebhookRow[]> {
  const { db, now, stopping, underWay } = delivering
  const idle: WebhookRow[] = []
  const others = sql`${isOther([...underWay.keys()])} and ${isOfOther(projectsAtTheirShare(delivering))}`
  for (const row of await findDue(db, newLease(delivering), others, readAtOnce)) {
    if (stopping.signal.aborted) break
    if (isAtItsShare(delivering, projectOf(row))) continue
    const batch = await readBatch(db, row, now())
    if (batch) start(delivering, { row, batch })
    else idle.push(row)
    await turn()
  }
  return idle
}

const projectOf = ({ project_id }: WebhookRow) => project_id ?? 0

const placesOf = ({ underWay }: Delivering, project: number) =>
  [...underWay.values()].filter((one) => one.project === project).length

/**
 * Whether a project may take no further place: it has as many as are free. One project thus gets at most half of them, and
 * however many others are slow, the next place that becomes free goes to a project that has none.
 */
const isAtItsShare = (delivering: Delivering, project: number) =>
  placesOf(delivering, project) >= mostAtOnce - delivering.underWay.size

const projectsAtTheirShare = (delivering: Delivering) =>
  [...new Set([...delivering.underWay.values()].map(({ project }) => project))].filter((project) =>
    isAtItsShare(delivering, project),
  )

function newLease({ server, now }: Delivering): WebhookLease {
  const at = now()
  return { server, now: at, expiresAt: shifted(at, leaseMs) }
}

function start(delivering: Delivering, first: Delivery): void {
  const { stopping, underWay, warn } = delivering
  const { id } = first.row
  const project = projectOf(first.row)
  const work = deliver(delivering, first)
    .catch((error) => stopping.signal.aborted || warn(error))
    .finally(() => underWay.delete(id))
  underWay.set(id, { project, work: work.then(() => {}) })
}

interface Delivery {
  row: WebhookRow
  batch: Batch
}

/** Sends to a webhook until it has caught up with the log, fails, or others need its place. */
async function deliver(delivering: Delivering, first: Delivery): Promise<void> {
  let next: Delivery | undefined = first
  while (next && (await attempt(delivering, next))) {
    if (isAtItsShare(delivering, projectOf(next.row)) || delivering.stopping.signal.aborted) return
    next = await nextOf(delivering, next.row.id)
  }
}

/** What a webhook sends next; undefined if nothing is due. */
async function nextOf(delivering: Delivering, id: number): Promise<Delivery | undefined> {
  const { db, now } = delivering
  const [row] = await findDue(db, newLease(delivering), isWebhook(id), 1)
  const batch = row && (await readBatch(db, row, now()))
  return batch && { row, batch }
}

/** Sends a batch once, or passes over one that says nothing to people. Returns whether the receiver accepted it. */
async function attempt(delivering: Delivering, { row, batch }: Delivery): Promise<boolean> {
  const { db, now, send, publicUrl, server } = delivering
  const message = await messageOf(db, row, batch, { now: now(), publicUrl })
  if (!message) {
    await passOver(
      db,
      [{ ...row, last_seq: batch.range.lastSeq, last_at: batch.events.at(-1)?.event.at ?? null }],
      now(),
    )
    return true
  }
  if (!(await claim(db, row, newLease(delivering)))) return false
  const sending = new AbortController()
  const outcome = await whileRenewed(delivering, row.id, sending, () => send(message, sending.signal))
  if (sending.signal.aborted && outcome.error !== undefined) {
    await release(db, row.id, server)
    return false
  }
  await finish(db, server, now(), { row, batch, messageId: message.id, outcome })
  return outcome.error === undefined
}

/** Renews the reservation while `work` runs. Aborts `sending` when the reservation is lost or the server stops. */
async function whileRenewed<T>(
  delivering: Delivering,
  id: number,
  sending: AbortController,
  work: () => Promise<T>,
): Promise<T> {
  const { db, stopping } = delivering
  const stop = () => sending.abort()
  let heldUntil = performance.now() + leaseMs
  const timer = setInterval(async () => {
    const asked = performance.now()
    const held = await renew(db, id, newLease(delivering)).catch(() => undefined)
    if (held) heldUntil = asked + leaseMs
    else if (held === false || performance.now() > heldUntil - renewMs) stop()
  }, renewMs)
  stopping.signal.addEventListener('abort', stop)
  if (stopping.signal.aborted) stop()
  try {
    return await work()
  } finally {
    clearInterval(timer)
    stopping.signal.removeEventListener('abort', stop)
  }
}
