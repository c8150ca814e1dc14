import sql from 'sql-template-tag'
import { erasedLine, type IsToGo } from '../../ledger/erase.ts'
import type { Ctx } from '../ctx.ts'

/**
 * Erases a content if `isToGo` selects it. Its size and hash stay, and later appends have the same offsets as without
 * the erasure. Returns whether anything was erased.
 */
export async function eraseDocument(ctx: Ctx, documentId: number | null, isToGo: IsToGo): Promise<boolean> {
  if (documentId === null) return false
  // A rule that selects the empty text selects every text, so the content need not be read.
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

/** Makes the search index drop a row and read it again. The caller has locked the index's follower. */
export async function unindex(ctx: Ctx, type: 'run' | 'turn' | 'spec' | 'check' | 'feature', id: number) {
  await ctx.db.query(sql`
    insert into search_entries (type, subject_id, is_stale, head) values (${type}, ${id}, 1, '')
    on conflict (type, subject_id) do update set is_stale = 1, head = '', document_id = null`)
}
