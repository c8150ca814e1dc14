import sql, { empty } from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import type { Ctx } from '../../frame/ctx.ts'
import { confinementOf } from '../../frame/scope.ts'
import type { EventType } from '../../log/fields.ts'
import type { Webhook } from './fields.ts'
import { type DisabledReason, shownUrl } from './rules.ts'

export interface WebhookRow {
  id: number
  project_id: number | null
  slug: string | null
  url: string
  format: Webhook['format']
  types: string
  tag: string
  secret: string
  previous_secret: string | null
  previous_secret_expires_at: string | null
  enabled: number
  disabled_reason: DisabledReason | null
  after_seq: number
  /** The seq of the newest event. */
  last_seq: number
  last_at: string | null
  batch_end: number | null
  failures: number
  failing_since: string | null
  last_error: string | null
  next_attempt_at: string | null
  delivered_at: string | null
  created_at: string
  updated_at: string
  version: number
}

export const columns = sql`w.id, w.project_id, (select p.slug from projects p where p.id = w.project_id) as slug,
  w.url, w.format, w.types, w.tag, w.secret, w.previous_secret, w.previous_secret_expires_at, w.enabled, w.disabled_reason,
  w.after_seq, (select coalesce(max(seq), 0) from events) as last_seq,
  (select at from events order by seq desc limit 1) as last_at, w.batch_end, w.failures, w.failing_since, w.last_error,
  w.next_attempt_at, w.delivered_at, w.created_at, w.updated_at, w.version`

export const typesOf = ({ types }: Pick<WebhookRow, 'types'>): EventType[] => JSON.parse(types)

/** A webhook as it is shown, without its secrets: its URL may be one. */
export function webhookOf(row: WebhookRow, now: string): Webhook {
  const expiresAt = row.previous_secret_expires_at
  return {
    id: row.id,
    url: shownUrl(row.url),
    format: row.format,
    project: row.slug,
    types: typesOf(row),
    enabled: row.enabled === 1,
    disabledReason: row.disabled_reason,
    after: row.after_seq,
    lag: Math.max(0, row.last_seq - row.after_seq),
    failures: row.failures,
    failingSince: row.failing_since,
    lastError: row.last_error,
    nextAttemptAt: row.next_attempt_at,
    deliveredAt: row.delivered_at,
    previousSecretExpiresAt: expiresAt !== null && expiresAt > now ? expiresAt : null,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  }
}

/**
 * What the log records about a webhook. Its position advances with each delivery, so the log contains it only when a
 * caller sets it.
 */
export const stateOf = (row: Pick<WebhookRow, 'url' | 'format' | 'types' | 'enabled' | 'disabled_reason'>) => ({
  url: shownUrl(row.url),
  format: row.format,
  types: typesOf(row),
  enabled: row.enabled === 1,
  disabledReason: row.disabled_reason,
})

/** Throws NOT_FOUND if the caller can see no such webhook. */
export async function readWebhook(ctx: Ctx, id: number, lock = empty): Promise<WebhookRow> {
  const [row] = await ctx.db.query<WebhookRow>(sql`select ${columns} from webhooks w where w.id = ${id} ${lock}`)
  const confinedTo = confinementOf(ctx)
  if (!row || (confinedTo !== null && row.project_id !== confinedTo)) {
    throw new ConductError('NOT_FOUND', `There is no webhook ${id}, or this key cannot see it.`)
  }
  return row
}
