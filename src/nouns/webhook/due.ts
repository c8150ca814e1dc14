import sql, { empty, join, type Sql } from 'sql-template-tag'
import { shifted } from '../../contract/span.ts'
import type { Tx } from '../../engine/db.ts'
import { type MessageOutcome, systemCtx } from '../../frame/ctx.ts'
import { numberEvents } from '../../log/number.ts'
import { readEventId } from '../../log/read.ts'
import type { Batch } from './batch.ts'
import { addDelivery } from './delivery.ts'
import { columns, type WebhookRow } from './row.ts'
import { delayAfter, disabledBy, longestDelayMs } from './rules.ts'
import { disableWebhook } from './webhook.ts'

/** Which server works on a webhook, and until when it is reserved. */
export interface WebhookLease {
  server: string
  now: string
  expiresAt: string
}

/** A lease takes seconds. One that ends later than this from now was taken by a server whose clock was ahead. */
const longestLeaseMs = 60_000

const isFree = ({ server, now }: Pick<WebhookLease, 'server' | 'now'>) =>
  sql`(w.lease_expires_at is null or w.lease_expires_at <= ${now} or w.server = ${server}
    or w.lease_expires_at > ${shifted(now, longestLeaseMs)})`

const isDue = (now: string) =>
  sql`(w.next_attempt_at is null or w.next_attempt_at <= ${now} or w.next_attempt_at > ${shifted(now, longestDelayMs)})`

/** Webhooks behind the log that are due now and meet `condition`, the longest unattended first. */
export async function findDue(db: Tx, lease: WebhookLease, condition: Sql, limit: number): Promise<WebhookRow[]> {
  const [any] = await db.query(sql`select 1 as one from webhooks where enabled = 1 limit 1`)
  if (!any) return []
  await numberEvents(db)
  return db.query<WebhookRow>(sql`
    select ${columns} from webhooks w
    where w.enabled = 1 and ${isDue(lease.now)} and ${isFree(lease)}
      and w.after_seq < (select max(seq) from events) and ${condition}
    order by w.attempted_at nulls first, w.id limit ${limit}`)
}

export const isWebhook = (id: number): Sql => sql`w.id = ${id}`
export const isOther = (ids: readonly number[]): Sql => (ids.length > 0 ? sql`w.id not in (${join(ids)})` : sql`1 = 1`)
/** Project 0 is the whole server. */
export const isOfOther = (projects: readonly number[]): Sql =>
  projects.length > 0 ? sql`coalesce(w.project_id, 0) not in (${join(projects)})` : sql`1 = 1`

/** A condition that the webhook has not changed since `row` was read. */
const isSame = ({ id, version, after_seq }: WebhookRow) =>
  sql`w.id = ${id} and w.version = ${version} and w.after_seq = ${after_seq} and w.enabled = 1`

/**
 * Takes the lease of a webhook. Returns false if another server has it, or the webhook has changed since it was read.
 */
export async function claim(db: Tx, row: WebhookRow, lease: WebhookLease): Promise<boolean> {
  const [taken] = await db.tx((tx) =>
    tx.query(sql`
      update webhooks as w set server = ${lease.server}, lease_expires_at = ${lease.expiresAt},
        attempted_at = ${lease.now}
      where ${isSame(row)} and ${isFree(lease)} returning id`),
  )
  return taken !== undefined
}

/** Extends a lease. Returns false if it is lost. */
export async function renew(db: Tx, id: number, { server, expiresAt }: WebhookLease): Promise<boolean> {
  const [held] = await db.tx((tx) =>
    tx.query(
      sql`update webhooks set lease_expires_at = ${expiresAt} where id = ${id} and server = ${server} returning id`,
    ),
  )
  return held !== undefined
}

/** Returns a lease. */
export const release = (db: Tx, id: number, server: string) =>
  db.tx((tx) =>
    tx.query(sql`update webhooks set server = null, lease_expires_at = null where id = ${id} and server = ${server}`),
  )

/** Advances webhooks past events that they do not send, as far as each was read, while the log still has that event. */
export const passOver = (db: Tx, rows: readonly WebhookRow[], now: string) =>
  db.tx(async (tx) => {
    for (const row of rows) {
      await tx.query(sql`
        update webhooks as w set after_seq = ${row.last_seq}, batch_end = null, attempted_at = ${now}
        where ${isSame(row)} and exists (select 1 from events where seq = ${row.last_seq} and at = ${row.last_at})`)
    }
  })

/** Deletes expired secrets. */
export async function purgeSecrets(db: Tx, now: string): Promise<void> {
  const expired = sql`previous_secret is not null and previous_secret_expires_at <= ${now}`
  const [any] = await db.query(sql`select 1 as one from webhooks where ${expired} limit 1`)
  if (any) await db.tx((tx) => tx.query(sql`update webhooks set previous_secret = null where ${expired}`))
}

interface Finished {
  row: WebhookRow
  batch: Batch
  messageId: string
  outcome: MessageOutcome
}

/**
 * Records the result of a batch and returns the lease. If the receiver accepted it, the webhook advances, unless
 * someone changed it meanwhile or the database lost the events. A failed batch is due again later, or disables the
 * webhook.
 */
export function finish(
  db: Tx,
  server: string,
  now: string,
  { row, batch, messageId, outcome }: Finished,
): Promise<void> {
  return db.tx(async (tx) => {
    const [held] = await tx.query<WebhookRow & { server: string | null }>(sql`
      select ${columns}, w.server from webhooks w where w.id = ${row.id} ${tx.dialect.forUpdate}`)
    if (!held) return
    const it = { messageId, range: batch.range, count: batch.events.length, attempt: row.failures + 1 }
    await addDelivery(tx, row.id, now, it, outcome)
    if (held.server !== server) return
    const isCurrent =
      held.version === row.version &&
      held.after_seq === row.after_seq &&
      (await readEventId(tx, batch.range.lastSeq)) === batch.range.lastId
    const moved = !isCurrent
      ? empty
      : outcome.error === undefined
        ? accepted(batch, now)
        : failed(held, batch, outcome, now)
    await tx.query(sql`update webhooks set server = null, lease_expires_at = null ${moved} where id = ${row.id}`)
    const failing = { failures: held.failures + 1, since: sinceOf(held, now) }
    const reason = isCurrent && outcome.error !== undefined && disabledBy(outcome, failing, now)
    if (reason) await disableWebhook(systemCtx(tx, now), held, reason)
  })
}

const accepted = ({ range }: Batch, now: string): Sql =>
  sql`, after_seq = ${range.lastSeq}, batch_end = null, failures = 0, failing_since = null, last_error = null,
    next_attempt_at = null, delivered_at = ${now}`

/** Since when a webhook has been failing; now for a time that a clock set that was ahead. */
const sinceOf = ({ failing_since: since }: WebhookRow, now: string) => (since !== null && since < now ? since : now)

function failed(row: WebhookRow, { range }: Batch, outcome: MessageOutcome, now: string): Sql {
  const { failures } = row
  const next = shifted(now, delayAfter(failures + 1, outcome.retryAfter))
  return sql`, batch_end = ${range.lastSeq}, failures = ${failures + 1}, failing_since = ${sinceOf(row, now)},
    last_error = ${outcome.error}, next_attempt_at = ${next}`
}
