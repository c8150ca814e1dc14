import sql, { empty, raw } from 'sql-template-tag'
import type { Ctx } from '../../frame/ctx.ts'
import { erasedFingerprint, erasedResponse } from '../../frame/idempotency.ts'
import { erasedText, hasTextToErase } from '../../log/event.ts'
import { columns, type WebhookRow } from '../../nouns/webhook/row.ts'
import { disableWebhook } from '../../nouns/webhook/webhook.ts'
import { eraseSentences } from './others.ts'
import type { EraseScope } from './scope.ts'

/**
 * Erases the stored responses of a project, or all, with the hashes of their requests. They are encrypted, so nobody can tell
 * what they contain.
 */
export async function eraseResponses(ctx: Ctx, projectId: number | null): Promise<number> {
  const place = projectId === null ? empty : sql`and project_id = ${projectId}`
  const rows =
    await ctx.db.query(sql`update idempotency_keys set answer = ${erasedResponse}, fingerprint = ${erasedFingerprint}
    where answer is not null and answer <> ${erasedResponse} ${place} returning 1 as one`)
  return rows.length
}

/** The names that belong to the server, by table. */
const names = [
  { table: 'projects', columns: ['name', 'repository'] },
  { table: 'keys', columns: ['name', 'person', 'machine'] },
  { table: 'actors', columns: ['name'] },
  { table: 'webhook_deliveries', columns: ['error'] },
  { table: 'webhooks', columns: ['last_error'] },
]

/** Erases names of the server that contain a text, for callers who may erase in the whole ledger. */
export async function eraseNames(ctx: Ctx, { recorded, projectId, isToGo }: EraseScope): Promise<number> {
  if (recorded.what !== 'text' || projectId !== null) return 0
  let count = 0
  for (const { table, columns } of names) {
    for (const column of columns) {
      const found = await ctx.db.query<{ id: number; text: string }>(
        sql`select id, ${raw(column)} as text from ${raw(table)} where ${raw(column)} is not null`,
      )
      for (const { id, text } of found.filter(({ text }) => isToGo(text, column))) {
        await ctx.db.query(sql`
          update ${raw(table)} set ${raw(column)} = ${erasedText} where id = ${id} and ${raw(column)} = ${text}`)
        if (table === 'actors') await eraseSentences(ctx, checkedBy(id), isToGo)
        count++
      }
    }
  }
  return count + (await eraseAddresses(ctx, isToGo)) + (await eraseMemos(ctx, isToGo))
}

/** The runs whose sentences may name an actor. */
const checkedBy = (actor: number) => sql`id in (select c.run_id from checks c where c.result_by = ${actor})`

/** A webhook without an address sends nothing more. */
async function eraseAddresses(ctx: Ctx, isToGo: EraseScope['isToGo']): Promise<number> {
  const found = await ctx.db.query<WebhookRow>(sql`select ${columns} from webhooks w ${ctx.db.dialect.forUpdate}`)
  const hits = found.filter(({ url }) => isToGo(url, 'url'))
  for (const row of hits) {
    await ctx.db.query(sql`update webhooks set url = ${erasedText} where id = ${row.id}`)
    if (row.enabled === 1) await disableWebhook(ctx, row, 'request')
  }
  return hits.length
}

/** Erases the memos of sessions. One with a run stays, because its hooks go on, unless its own id has the text. */
async function eraseMemos(ctx: Ctx, isToGo: EraseScope['isToGo']): Promise<number> {
  const found = await ctx.db.query<{ id: number; run_row: number | null; memo: string; session: string }>(
    sql`select id, run_row, memo, session from hook_sessions order by id ${ctx.db.dialect.forUpdate}`,
  )
  const hits = found.filter(({ memo, session }) => hasTextToErase({ session, memo: JSON.parse(memo) }, isToGo))
  for (const { id, run_row, session } of hits) {
    const isKept = run_row !== null && !isToGo(session, 'session')
    const erasing = isKept ? sql`update hook_sessions set memo = 'null'` : sql`delete from hook_sessions`
    await ctx.db.query(sql`${erasing} where id = ${id}`)
  }
  return hits.length
}
