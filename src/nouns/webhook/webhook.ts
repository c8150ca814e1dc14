import sql from 'sql-template-tag'
import { ConductError, invalid } from '../../contract/error.ts'
import { adminNouns } from '../../contract/event-type.ts'
import { shifted } from '../../contract/span.ts'
import { type Ctx, inTx, type Operation, type ProjectRef, requireVersion } from '../../frame/ctx.ts'
import { readPage } from '../../frame/page.ts'
import { confinementOf, findProject, listedProject, requireThere } from '../../frame/scope.ts'
import { appeared, type Changes, differences, erasedText, vanished } from '../../log/event.ts'
import type { LogPosition } from '../../log/event-id.ts'
import { numberEvents } from '../../log/number.ts'
import { lastSeq, requireKept, requirePlace } from '../../log/read.ts'
import { record } from '../../log/record.ts'
import type { WebhookRoutes } from './routes.ts'
import { columns, readWebhook, stateOf, typesOf, type WebhookRow, webhookOf } from './row.ts'
import { type DisabledReason, isCutUrl, mostWebhooks, newSigningSecret, newWebhookTag, shownUrl } from './rules.ts'

/**
 * Throws FORBIDDEN for a webhook of the whole server by a key of one project; NOT_FOUND for an unknown project;
 * VALIDATION_ERROR for a position after the end of the log, an address to which nothing is sent, and a type that it would
 * never send; CONFLICT if there are too many.
 */
export const createWebhook: Operation<WebhookRoutes['createWebhook']> = async (
  ctx,
  { url, format = 'events', types = [], after, project },
) => {
  requireReceiver(ctx, url)
  await numberEvents(ctx.db)
  return inTx(ctx, async (ctx) => {
    const found = await projectFor(ctx, project)
    const projectId = found?.id ?? null
    requireSent(projectId, types)
    const secret = newSigningSecret()
    const { id: by } = ctx.actor
    await ctx.db.query(ctx.db.dialect.alone)
    await requireRoom(ctx, found)
    const place = after === undefined ? await lastSeq(ctx.db) : await placeIn(ctx, after)
    const [row] = await ctx.db.query<{ id: number }>(sql`
      insert into webhooks (project_id, url, format, types, tag, secret, after_seq, created_by, updated_by, created_at, updated_at)
      values (${projectId}, ${url}, ${format}, ${typesText(types)}, ${newWebhookTag()}, ${secret}, ${place}, ${by}, ${by},
        ${ctx.now}, ${ctx.now})
      returning id`)
    // Deleting a project deletes only the webhooks that it finds.
    await requireThere(ctx.db, found)
    const made = await readWebhook(ctx, (row as { id: number }).id)
    await recordWebhook(ctx, 'created', made, appeared({ ...stateOf(made), after: after?.seq }))
    return { webhook: webhookOf(made, ctx.now), secret }
  })
}

/** Throws VALIDATION_ERROR for a URL whose address webhooks of this server never reach. */
function requireReceiver({ refusal }: Ctx, url: string) {
  const words = refusal?.(url)
  if (words !== undefined) throw invalid('url', `cannot be reached: ${words.replace(/\.$/, '')}`)
}

/** Throws VALIDATION_ERROR to enable a webhook whose URL was erased, or was not in the export that it comes from. */
function requireWhole(url: string) {
  if (url === erasedText) throw invalid('url', 'is needed to enable it: the address was erased')
  if (isCutUrl(url)) throw invalid('url', `is needed to enable it: the export without keys had only ${url}`)
}

/** Throws CONFLICT if the project, or the whole server, has as many webhooks as it may. */
async function requireRoom({ db }: Ctx, project: ProjectRef | null): Promise<void> {
  const its = project === null ? sql`project_id is null` : sql`project_id = ${project.id}`
  const made = await db.query(sql`select id from webhooks where ${its} limit ${mostWebhooks}`)
  if (made.length < mostWebhooks) return
  const whose = project === null ? 'The whole server' : `The project '${project.slug}'`
  throw new ConductError('CONFLICT', `${whose} has ${mostWebhooks} webhooks, the maximum: delete one first.`)
}

const typesText = (types: readonly string[]) => JSON.stringify([...new Set(types)].sort())

/** Throws a VALIDATION_ERROR for a type whose events only webhooks of the whole server send. */
function requireSent(projectId: number | null, types: readonly string[]) {
  const unsent = types.find((type) => adminNouns.some((noun) => type.startsWith(`${noun}.`)))
  if (projectId === null || unsent === undefined) return
  throw invalid(
    'types',
    `must not contain ${unsent}: only a webhook of the whole server sends events of keys, projects and webhooks`,
  )
}

/** As with keys, the default project of a webhook depends on its creator. */
async function projectFor(ctx: Ctx, project: string | null | undefined): Promise<ProjectRef | null> {
  const confinedTo = confinementOf(ctx)
  if (confinedTo !== null && project === null) {
    throw new ConductError(
      'FORBIDDEN',
      'A key of one project can create webhooks only for that project: leave out project.',
    )
  }
  if (project) return findProject(ctx.db, project, confinedTo)
  return project === undefined && (confinedTo !== null || ctx.named) ? ctx.project : null
}

/** The seq of a position. Without an id, a position after the end is a mistake of the caller. Throws as `requirePlace`. */
async function placeIn(ctx: Ctx, after: LogPosition): Promise<number> {
  const end = await lastSeq(ctx.db)
  if (after.id === undefined && after.seq > end)
    throw invalid('after', `must be at most ${end}, the seq of the newest event, not ${after.seq}`)
  return (await requirePlace(ctx.db, after)).seq
}

export const recordWebhook = (ctx: Ctx, deed: 'created' | 'updated' | 'deleted', row: WebhookRow, changes: Changes) =>
  record(ctx, {
    type: `webhook.${deed}`,
    subject: String(row.id),
    subjectId: row.id,
    projectId: row.project_id,
    changes,
  })

/** Sends nothing more, until somebody enables the webhook. */
export async function disableWebhook(ctx: Ctx, row: WebhookRow, reason: DisabledReason): Promise<void> {
  const changes = differences(stateOf(row), stateOf({ ...row, enabled: 0, disabled_reason: reason }))
  await ctx.db.query(sql`
    update webhooks set enabled = 0, disabled_reason = ${reason}, next_attempt_at = null, updated_at = ${ctx.now},
      updated_by = ${ctx.actor.id}, version = version + 1
    where id = ${row.id}`)
  await recordWebhook(ctx, 'updated', row, changes)
}

export const listWebhooks: Operation<WebhookRoutes['listWebhooks']> = async (ctx, input) => {
  const only = listedProject(ctx)
  const where = [only === null ? sql`w.id > 0` : sql`w.project_id = ${only}`]
  const walk = { from: sql`webhooks w`, where, createdAt: 'w.created_at', id: 'w.id' }
  const { rows, meta } = await readPage<WebhookRow>(ctx.db, columns, [walk], input)
  return { webhooks: rows.map((row) => webhookOf(row, ctx.now)), meta }
}

/** Throws NOT_FOUND if the caller can see no such webhook. */
export const getWebhook: Operation<WebhookRoutes['getWebhook']> = async (ctx, { id }) => ({
  webhook: webhookOf(await readWebhook(ctx, id), ctx.now),
})

/**
 * Changing what is sent, or enabling the webhook, makes the next attempt due at once. Throws NOT_FOUND like getWebhook;
 * PRECONDITION_FAILED if `ifVersion` is outdated; VALIDATION_ERROR like createWebhook; EVENTS_DROPPED for a position
 * before the beginning of the log.
 */
export const updateWebhook: Operation<WebhookRoutes['updateWebhook']> = async (ctx, { id, ifVersion, ...patch }) => {
  if (patch.url !== undefined) requireReceiver(ctx, patch.url)
  if (patch.after !== undefined) await numberEvents(ctx.db)
  return inTx(ctx, async (ctx) => {
    const row = await readWebhook(ctx, id, ctx.db.dialect.forUpdate)
    requireVersion(ifVersion, id, row.version)
    if (patch.types) requireSent(row.project_id, patch.types)
    const enabled = patch.enabled ?? row.enabled === 1
    const url = patch.url ?? row.url
    if (enabled) requireWhole(url)
    const after: ReturnType<typeof stateOf> = {
      url: shownUrl(url),
      format: patch.format ?? row.format,
      types: patch.types === undefined ? typesOf(row) : JSON.parse(typesText(patch.types)),
      enabled,
      disabledReason: enabled ? null : (row.disabled_reason ?? 'request'),
    }
    // No events are dropped between this and the end of the transaction.
    await ctx.db.query(ctx.db.dialect.alone)
    const place = patch.after === undefined ? row.after_seq : await placeIn(ctx, patch.after)
    if (enabled && row.enabled === 0) await requireKept(ctx.db, place)
    const changes = differences({ ...stateOf(row), after: row.after_seq }, { ...after, after: place })
    // Two addresses may be shown the same.
    if (url !== row.url) changes.url = [shownUrl(row.url), after.url]
    if (Object.keys(changes).length > 0) await change(ctx, row, { ...after, url, place }, changes)
    else if (enabled) await ctx.db.query(sql`update webhooks set next_attempt_at = null where id = ${id}`)
    return { webhook: webhookOf(await readWebhook(ctx, id), ctx.now) }
  })
}

type WebhookState = ReturnType<typeof stateOf> & { place: number }

async function change(
  ctx: Ctx,
  row: WebhookRow,
  { url, format, types, enabled, disabledReason, place }: WebhookState,
  changes: Changes,
) {
  await ctx.db.query(sql`
    update webhooks set url = ${url}, format = ${format}, types = ${JSON.stringify(types)},
      enabled = ${enabled ? 1 : 0}, disabled_reason = ${disabledReason}, after_seq = ${place}, batch_end = null, failures = 0, failing_since = null,
      next_attempt_at = null, last_error = ${enabled ? null : row.last_error}, updated_at = ${ctx.now},
      updated_by = ${ctx.actor.id}, version = version + 1
    where id = ${row.id}`)
  await recordWebhook(ctx, 'updated', row, changes)
}

/** Throws NOT_FOUND if the caller can see no such webhook; PRECONDITION_FAILED if `ifVersion` is outdated. */
export const deleteWebhook: Operation<WebhookRoutes['deleteWebhook']> = (ctx, { id, ifVersion }) =>
  inTx(ctx, async (ctx) => {
    const row = await readWebhook(ctx, id, ctx.db.dialect.forUpdate)
    requireVersion(ifVersion, id, row.version)
    await ctx.db.query(sql`delete from webhooks where id = ${id}`)
    await recordWebhook(ctx, 'deleted', row, vanished(stateOf(row)))
    return { message: 'Webhook deleted successfully' }
  })

/** The previous secret continues to sign for a while. There are never three. */
export const rotateWebhookSecret: Operation<WebhookRoutes['rotateWebhookSecret']> = (ctx, { id, overlapSeconds }) =>
  inTx(ctx, async (ctx) => {
    const row = await readWebhook(ctx, id, ctx.db.dialect.forUpdate)
    const secret = newSigningSecret()
    const expiresAt = overlapSeconds === 0 ? null : shifted(ctx.now, overlapSeconds * 1000)
    await ctx.db.query(sql`
      update webhooks set secret = ${secret}, previous_secret = ${expiresAt === null ? null : row.secret},
        previous_secret_expires_at = ${expiresAt}, updated_at = ${ctx.now}, updated_by = ${ctx.actor.id},
        version = version + 1
      where id = ${id}`)
    await recordWebhook(ctx, 'updated', row, {
      previousSecretExpiresAt: [row.previous_secret_expires_at, expiresAt],
    })
    return { webhook: webhookOf(await readWebhook(ctx, id), ctx.now), secret }
  })
