import sql from 'sql-template-tag'
import { ConductError, invalid } from '../contract/error.ts'
import { type Ctx, inTx, type Operation, requireVersion } from '../frame/ctx.ts'
import { confinementOf } from '../frame/scope.ts'
import { erasedText, vanished } from '../log/event.ts'
import { record } from '../log/record.ts'
import { endKey } from '../nouns/key/key.ts'
import { defaultProject } from '../nouns/project/fields.ts'
import { readProject, stateOf } from '../nouns/project/project.ts'
import type { ProjectRoutes } from '../nouns/project/routes.ts'
import { columns, stateOf as stateOfWebhook, type WebhookRow } from '../nouns/webhook/row.ts'
import { recordWebhook } from '../nouns/webhook/webhook.ts'

/**
 * Deletes a project at once, with its keys and webhooks. `emptyNext` later removes its contents. The slug is free
 * again: the row keeps it with a tilde and the number of the row, which no slug can have. Throws NOT_FOUND; FORBIDDEN
 * for a key of one project; CONFLICT for the default project; PRECONDITION_FAILED; VALIDATION_ERROR if `confirm` is not
 * the name.
 */
export const deleteProject: Operation<ProjectRoutes['deleteProject']> = (ctx, { slug, confirm, ifVersion }) =>
  inTx(ctx, async (ctx) => {
    const row = await readProject(ctx, slug, ctx.db.dialect.forUpdate)
    if (confinementOf(ctx) !== null) {
      throw new ConductError('FORBIDDEN', 'Only a key of the whole server deletes projects.')
    }
    if (slug === defaultProject) {
      throw new ConductError(
        'CONFLICT',
        `The project '${slug}' cannot be deleted: requests that name no project act in it. Give it a retention instead.`,
      )
    }
    requireVersion(ifVersion, slug, row.version)
    if (confirm !== row.name) {
      throw invalid('confirm', `must be the name of the project, '${row.name}', not '${confirm}'`)
    }
    await revokeKeys(ctx, row.id)
    await deleteWebhooks(ctx, row.id)
    // An expired lease would fail its run and record an event.
    await ctx.db.query(sql`update runs set lease_expires_at = null where project_id = ${row.id}
      and lease_expires_at is not null`)
    await ctx.db.query(sql`
      update projects set slug = ${`${slug}~${row.id}`}, name = ${erasedText}, repository = null, retention = null,
        deleted_at = ${ctx.now}, updated_at = ${ctx.now}, updated_by = ${ctx.actor.id}, version = version + 1
      where id = ${row.id}`)
    const changes = vanished(stateOf(row))
    await record(ctx, { type: 'project.deleted', subject: slug, subjectId: row.id, projectId: row.id, changes })
    return { message: 'Project deleted successfully' }
  })

async function revokeKeys(ctx: Ctx, projectId: number): Promise<void> {
  const keys = await ctx.db.query<{ id: number }>(sql`
    select id from keys where project_id = ${projectId} and revoked_at is null order by id ${ctx.db.dialect.forUpdate}`)
  for (const { id } of keys) await endKey(ctx, id, projectId)
}

async function deleteWebhooks(ctx: Ctx, projectId: number): Promise<void> {
  const webhooks = await ctx.db.query<WebhookRow>(sql`
    select ${columns} from webhooks w where w.project_id = ${projectId} order by w.id ${ctx.db.dialect.forUpdate}`)
  for (const webhook of webhooks) {
    await ctx.db.query(sql`delete from webhooks where id = ${webhook.id}`)
    await recordWebhook(ctx, 'deleted', webhook, vanished(stateOfWebhook(webhook)))
  }
}
