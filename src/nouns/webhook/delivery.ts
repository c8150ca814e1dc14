import sql from 'sql-template-tag'
import { only, type Tx } from '../../engine/db.ts'
import { inTx, type MessageOutcome, type Operation } from '../../frame/ctx.ts'
import { readPage } from '../../frame/page.ts'
import type { Delivery } from './fields.ts'
import { testMessageOf } from './message.ts'
import type { WebhookRoutes } from './routes.ts'
import { readWebhook } from './row.ts'
import { newTestIdOf, type Range } from './rules.ts'

interface DeliveryRow {
  id: number
  message_id: string
  first_seq: number | null
  last_seq: number | null
  count: number
  attempt: number
  status_code: number | null
  error: string | null
  duration_ms: number
  created_at: string
}

const columns = sql`id, message_id, first_seq, last_seq, count, attempt, status_code, error, duration_ms, created_at`

const deliveryOf = (row: DeliveryRow): Delivery => ({
  id: row.id,
  messageId: row.message_id,
  firstSeq: row.first_seq,
  lastSeq: row.last_seq,
  count: row.count,
  attempt: row.attempt,
  statusCode: row.status_code,
  error: row.error,
  durationMs: row.duration_ms,
  at: row.created_at,
})

/** How many deliveries to keep per webhook. */
const keptDeliveries = 100

interface Attempt {
  messageId: string
  range?: Range
  count: number
  attempt: number
}

/**
 * Records an attempt and deletes the oldest of the webhook, in the caller's transaction, which has locked the webhook.
 */
export async function addDelivery(tx: Tx, webhookId: number, now: string, it: Attempt, outcome: MessageOutcome) {
  const { statusCode = null, error = null, durationMs } = outcome
  const rows = await tx.query<DeliveryRow>(sql`
    insert into webhook_deliveries
      (webhook_id, message_id, first_seq, last_seq, count, attempt, status_code, error, duration_ms, created_at)
    values (${webhookId}, ${it.messageId}, ${it.range?.firstSeq ?? null}, ${it.range?.lastSeq ?? null}, ${it.count},
      ${it.attempt}, ${statusCode}, ${error}, ${durationMs}, ${now})
    returning ${columns}`)
  await tx.query(sql`
    delete from webhook_deliveries where webhook_id = ${webhookId} and id <= (
      select id from webhook_deliveries where webhook_id = ${webhookId}
      order by id desc limit 1 offset ${keptDeliveries})`)
  return deliveryOf(only(rows))
}

/**
 * Sends a test message outside any transaction, and records the attempt. If the receiver accepts it, waiting events are
 * due at once. Throws NOT_FOUND if the caller can see no such webhook.
 */
export const testWebhook: Operation<WebhookRoutes['testWebhook']> = async (ctx, { id }) => {
  if (ctx.send === undefined) throw new Error('Bug: nothing was given to send with.')
  const row = await readWebhook(ctx, id)
  const messageId = newTestIdOf(row.tag)
  const outcome = await ctx.send(testMessageOf(row, messageId, ctx.now))
  return inTx(ctx, async (ctx) => {
    await readWebhook(ctx, id, ctx.db.dialect.forUpdate)
    if (outcome.error === undefined) {
      await ctx.db.query(sql`update webhooks set next_attempt_at = null where id = ${id}`)
    }
    return { delivery: await addDelivery(ctx.db, id, ctx.now, { messageId, count: 0, attempt: 1 }, outcome) }
  })
}

/** Newest first by default. Throws NOT_FOUND if the caller can see no such webhook. */
export const listWebhookDeliveries: Operation<WebhookRoutes['listWebhookDeliveries']> = async (
  ctx,
  { id, ...input },
) => {
  await readWebhook(ctx, id)
  const where = [sql`webhook_id = ${id}`]
  const walk = { from: sql`webhook_deliveries`, where, createdAt: 'created_at', id: 'id' }
  const { rows, meta } = await readPage<DeliveryRow>(ctx.db, columns, [walk], input)
  return { deliveries: rows.map(deliveryOf), meta }
}
