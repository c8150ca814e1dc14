import { isDeepStrictEqual } from 'node:util'
import sql from 'sql-template-tag'
import type { Ctx } from '../../frame/ctx.ts'
import { listOf, present } from '../../frame/pieces.ts'
import { type NewName, nameAfter, newNames } from '../../log/erased-name.ts'
import { eraseIn, type IsToGo } from '../../log/event.ts'
import { eraseDocuments } from './content.ts'

interface DiffRow {
  id: number
  turn_id: number
  path: string
  facts: string
  document_id: number | null
  whole_facts: string | null
  whole_document_id: number | null
}

/** Erases the selected texts of the diffs of turns. Returns the turns that had any. The caller has locked the turns. */
export async function eraseDiffs(ctx: Ctx, turns: readonly number[], isToGo: IsToGo): Promise<Set<number>> {
  if (turns.length === 0) return new Set()
  const rows = await ctx.db.query<DiffRow>(sql`
    select id, turn_id, path, facts, document_id, whole_facts, whole_document_id from turn_diffs
    where turn_id in (${listOf(turns)}) order by id`)
  const documents = await eraseDocuments(ctx, rows.flatMap(documentsOf), isToGo)
  const newName = await newNames(ctx.db)
  const gone = new Set<number>()
  for (const row of rows) {
    if (present(documentsOf(row)).some((document) => documents.has(document))) gone.add(row.turn_id)
    if (await eraseFacts(ctx, row, isToGo, newName)) gone.add(row.turn_id)
  }
  return gone
}

const documentsOf = ({ document_id, whole_document_id }: DiffRow) => [document_id, whole_document_id]

/** Erases the path of a file, and its old path. Returns whether there was one to erase. */
async function eraseFacts({ db }: Ctx, { id, ...row }: DiffRow, isToGo: IsToGo, newName: NewName): Promise<boolean> {
  const before = { path: row.path, facts: JSON.parse(row.facts), whole: row.whole_facts && JSON.parse(row.whole_facts) }
  const { facts, whole } = eraseIn({ facts: before.facts, whole: before.whole }, isToGo)
  // No two files of a turn get the same path, and a file gets the same in all turns.
  const after = { path: nameAfter(row.path, 'path', isToGo, newName), facts, whole }
  if (isDeepStrictEqual(before, after)) return false
  await db.query(sql`update turn_diffs set path = ${after.path}, facts = ${JSON.stringify(facts)},
    whole_facts = ${whole && JSON.stringify(whole)} where id = ${id}`)
  return true
}
