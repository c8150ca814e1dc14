import sql, { join, type Sql } from 'sql-template-tag'
import type { Ctx } from '../../frame/ctx.ts'
import { listOf, piecesOf, present } from '../../frame/pieces.ts'
import { erasedLine, type IsToGo } from '../../log/event.ts'

/**
 * Erases the contents that `isToGo` selects. Their sizes and hashes stay, and later appends have the same offsets as
 * without the erasure. Returns the ids of the documents that it has erased.
 */
export async function eraseDocuments(
  ctx: Ctx,
  documents: readonly (number | null)[],
  isToGo: IsToGo,
): Promise<Set<number>> {
  const ids = present(documents)
  // A rule that selects the empty text selects every text, so the contents need not be read.
  if (isToGo('', 'content')) return eraseSome(ctx, ids, isToGo, sql`''`)
  const gone = new Set<number>()
  // One at a time, because each may be large.
  for (const id of ids) for (const erased of await eraseSome(ctx, [id], isToGo, sql`text`)) gone.add(erased)
  return gone
}

async function eraseSome({ db }: Ctx, ids: number[], isToGo: IsToGo, text: Sql): Promise<Set<number>> {
  if (ids.length === 0) return new Set()
  const found = await db.query<{ id: number; start: number; text: string; dropped: number }>(sql`
    select document_id as id, start, ${text} as text, dropped from document_parts where document_id in (${listOf(ids)})
    order by document_id, start`)
  const gone: number[] = []
  for (const [id, parts] of Map.groupBy(found, ({ id }) => id)) {
    const isErased = parts.length === 1 && parts[0]?.start === 0 && (parts[0]?.dropped ?? 0) > 0
    if (!isErased && isToGo(parts.map((part) => part.text).join(''), 'content')) gone.push(id)
  }
  if (gone.length === 0) return new Set()
  const sizes = await db.query<{ id: number; bytes: number }>(
    sql`select id, bytes from documents where id in (${listOf(gone)})`,
  )
  await db.query(sql`delete from document_parts where document_id in (${listOf(gone)})`)
  for (const some of piecesOf(sizes)) {
    await db.query(sql`insert into document_parts (document_id, start, text, dropped)
      values ${join(some.map(({ id, bytes }) => sql`(${id}, 0, ${erasedLine(bytes)}, ${bytes})`))}`)
  }
  return new Set(gone)
}

type Type = 'run' | 'turn' | 'spec' | 'check' | 'feature'

/** Makes the index of words drop rows and read them again. The caller has locked the index. */
export async function unindex(ctx: Ctx, type: Type, ids: readonly number[]): Promise<void> {
  for (const some of piecesOf(ids)) {
    await ctx.db.query(sql`
      insert into search_entries (type, subject_id, is_stale, head)
      values ${join(some.map((id) => sql`(${type}, ${id}, 1, '')`))}
      on conflict (type, subject_id) do update set is_stale = 1, head = '', document_id = null`)
  }
}

/** The same for the diffs of turns. Those that the index does not know yet have no words in it. */
export async function unindexDiffs(ctx: Ctx, turns: readonly number[]): Promise<void> {
  for (const some of piecesOf(turns)) {
    await ctx.db.query(sql`update search_entries set is_stale = 1, head = '', document_id = null
      where turn_id in (${listOf(some)})`)
  }
}
