import sql from 'sql-template-tag'
import { erasedLine, type IsToGo } from '../../ledger/erase.ts'
import type { Ctx } from '../ctx.ts'

/**
 * Erases a text that stands apart from its noun, if it is to go. Its size and hash stay, and what is appended later stands at
 * the same offsets as if nothing had happened. Returns whether there was something to erase.
 */
export async function eraseDocument(ctx: Ctx, documentId: number | null, isToGo: IsToGo): Promise<boolean> {
  if (documentId === null) return false
  // A rule that takes the empty text takes every text: none needs to be read.
  const text = isToGo('', 'content') ? sql`''` : sql`text`
  const parts = await ctx.db.query<{ start: number; text: string; dropped: number }>(sql`
    select start, ${text} as text, dropped from document_parts where document_id = ${documentId} order by start`)
  const isErased = parts.length === 1 && parts[0]?.start === 0 && (parts[0]?.dropped ?? 0) > 0
  if (parts.length === 0 || isErased || !isToGo(parts.map((part) => part.text).join(''), 'content')) return false
  const [document] = await ctx.db.query<{ bytes: number }>(sql`select bytes from documents where id = ${documentId}`)
  const bytes = document?.bytes ?? 0
  await ctx.db.query(sql`delete from document_parts where document_id = ${documentId}`)
  await ctx.db.query(sql`insert into document_parts (document_id, start, text, dropped)
    values (${documentId}, 0, ${erasedLine(bytes)}, ${bytes})`)
  return true
}

/** Has the search index give up what it knows of a row, and read it anew. The caller holds the follower of the index. */
export async function unindex(ctx: Ctx, type: 'run' | 'turn' | 'spec' | 'check' | 'feature', id: number) {
  await ctx.db.query(sql`
    insert into search_entries (type, subject_id, is_stale, head) values (${type}, ${id}, 1, '')
    on conflict (type, subject_id) do update set is_stale = 1, head = '', document_id = null`)
}
