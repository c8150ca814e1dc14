import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import type { Send } from '../ledger/webhook.ts'
import type { Store } from '../store/open.ts'
import { type Batch, messageOf, readBatch } from '../store/webhook/batch.ts'
import {
  claim,
  findDue,
  finish,
  isOther,
  isWebhook,
  type Lease,
  passOver,
  release,
  renew,
} from '../store/webhook/due.ts'
import type { WebhookRow } from '../store/webhook/row.ts'

/** How many webhooks a server sends to at the same time. */
const mostAtOnce = 32
/** How long a webhook stays reserved for a server that no longer reports, in milliseconds. */
const leaseMs = 6_000
const renewMs = 2_000
/** How many webhooks one step reads. */
const readAtOnce = 200
/** How often to advance webhooks past events they do not send, unless there are many such events. */
const passOverMs = 10_000

export type Deliverer = ReturnType<typeof createDeliverer>

/**
 * Sends the events of the log to webhooks, one batch at a time per webhook across all servers. `step` starts what is
 * due and waits for none of it. `warn` receives errors that are not the fault of a receiver.
 */
export function createDeliverer({ db, now }: Pick<Store, 'db' | 'now'>, send: Send, warn: (error: Error) => void) {
  const server = randomUUID()
  const stopping = new AbortController()
  const underWay = new Map<number, Promise<void>>()
  let passedOverAt = Number.NEGATIVE_INFINITY

  const newLease = (): Lease => {
    const at = now()
    return { server, now: at, expiresAt: new Date(Date.parse(at) + leaseMs).toISOString() }
  }

  /** Sends to a webhook until it has caught up with the log, fails, or others need its place. */
  async function deliver(row: WebhookRow, batch: Batch): Promise<void> {
    const isDone = await attempt(row, batch)
    if (!isDone || underWay.size >= mostAtOnce || stopping.signal.aborted) return
    const [next] = await findDue(db, newLease(), isWebhook(row.id), 1)
    const further = next && (await readBatch(db, next, now()))
    if (next && further) await deliver(next, further)
  }

  /** Sends a batch once. Returns whether the receiver accepted it. */
  async function attempt(row: WebhookRow, batch: Batch): Promise<boolean> {
    if (!(await claim(db, row, newLease()))) return false
    const message = messageOf(row, batch, now())
    const sending = new AbortController()
    const outcome = await whileRenewed(row.id, sending, () => send(message, sending.signal))
    if (sending.signal.aborted && outcome.error !== undefined) {
      await release(db, row.id, server)
      return false
    }
    await finish(db, server, now(), { row, batch, messageId: message.id, outcome })
    return outcome.error === undefined
  }

  /** Renews the reservation while `work` runs. Aborts `sending` when the reservation is lost or the server stops. */
  async function whileRenewed<T>(id: number, sending: AbortController, work: () => Promise<T>): Promise<T> {
    const stop = () => sending.abort()
    let heldUntil = performance.now() + leaseMs
    const timer = setInterval(async () => {
      const asked = performance.now()
      const held = await renew(db, id, newLease()).catch(() => undefined)
      if (held) heldUntil = asked + leaseMs
      else if (held === false || performance.now() > heldUntil - renewMs) stop()
    }, renewMs)
    stopping.signal.addEventListener('abort', stop)
    try {
      return await work()
    } finally {
      clearInterval(timer)
      stopping.signal.removeEventListener('abort', stop)
    }
  }

  function start(row: WebhookRow, batch: Batch): void {
    const work = deliver(row, batch)
      .catch((error) => stopping.signal.aborted || warn(error))
      .finally(() => underWay.delete(row.id))
    underWay.set(
      row.id,
      work.then(() => {}),
    )
  }

  async function passOverSome(idle: WebhookRow[]): Promise<void> {
    if (idle.length === 0) return
    if (idle.length < readAtOnce / 2 && performance.now() - passedOverAt < passOverMs) return
    passedOverAt = performance.now()
    await passOver(db, idle, now())
  }

  return {
    async step(): Promise<boolean> {
      const idle: WebhookRow[] = []
      for (const row of await findDue(db, newLease(), isOther([...underWay.keys()]), readAtOnce)) {
        if (underWay.size >= mostAtOnce || stopping.signal.aborted) break
        const batch = await readBatch(db, row, now())
        if (batch) start(row, batch)
        else idle.push(row)
        await turn()
      }
      await passOverSome(idle)
      return false
    },

    /** Aborts deliveries in progress. Another server, or this one after its next start, sends them again. */
    async stop(): Promise<void> {
      stopping.abort()
      await Promise.all(underWay.values())
    },
  }
}
