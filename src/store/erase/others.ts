import { isDeepStrictEqual } from 'node:util'
import sql, { join, raw } from 'sql-template-tag'
import { erasedText, eraseIn, type IsToGo } from '../../ledger/erase.ts'
import { type CheckRow, columns, stateOf, valuesOf } from '../check/row.ts'
import type { Ctx } from '../ctx.ts'
import { keepGrams } from '../part.ts'
import { eraseDocument, unindex } from './content.ts'

/** Each function erases the selected texts of one row, and returns whether there were any. */

export async function eraseTurn(ctx: Ctx, id: number, isToGo: IsToGo): Promise<boolean> {
  const [row] = await ctx.db.query<{
    title: string | null
    facts: string
    prompt_id: number | null
    answer_id: number | null
  }>(sql`select title, facts, prompt_id, answer_id from turns where id = ${id} ${ctx.db.dialect.forUpdate}`)
  if (!row) return false
  const before = { title: row.title, facts: JSON.parse(row.facts) }
  const after = eraseIn(before, isToGo)
  const gone = [
    await eraseDocument(ctx, row.prompt_id, isToGo),
    await eraseDocument(ctx, row.answer_id, isToGo),
    !isDeepStrictEqual(before, after),
  ]
  if (!gone.includes(true)) return false
  await ctx.db.query(sql`update turns set title = ${after.title}, facts = ${JSON.stringify(after.facts)},
    erased_at = ${ctx.now} where id = ${id}`)
  await unindex(ctx, 'turn', id)
  return true
}

export async function eraseCheck(ctx: Ctx, id: number, isToGo: IsToGo): Promise<boolean> {
  const [row] = await ctx.db.query<CheckRow>(
    sql`select ${columns} from checks where checks.id = ${id} ${ctx.db.dialect.forUpdate}`,
  )
  if (!row) return false
  const before = stateOf(row)
  const after = eraseIn(before, isToGo)
  const isContentGone = await eraseDocument(ctx, row.document_id, isToGo)
  if (!isContentGone && isDeepStrictEqual(before, after)) return false
  const values = { ...valuesOf(after), erased_at: ctx.now, version: row.version + 1 }
  const assignments = Object.entries(values).map(([name, value]) => sql`${raw(name)} = ${value}`)
  await ctx.db.query(sql`update checks set ${join(assignments)} where id = ${id}`)
  await unindex(ctx, 'check', id)
  return true
}

/** Erases every version, too. The number of the version stays, because runs refer to it. */
export async function eraseSpec(ctx: Ctx, id: number, isToGo: IsToGo): Promise<boolean> {
  const [row] = await ctx.db.query<{ title: string | null; agent: string | null }>(
    sql`select title, agent from specs where id = ${id} ${ctx.db.dialect.forUpdate}`,
  )
  if (!row) return false
  const after = eraseIn({ title: row.title, agent: row.agent }, isToGo)
  const versions = await ctx.db.query<{ id: number; title: string | null; document_id: number | null }>(
    sql`select id, title, document_id from spec_versions where spec_id = ${id} order by id`,
  )
  let isGone = after.title !== row.title || after.agent !== row.agent
  for (const version of versions) {
    const { title } = eraseIn({ title: version.title }, isToGo)
    const isContentGone = await eraseDocument(ctx, version.document_id, isToGo)
    isGone = isGone || isContentGone || title !== version.title
    if (title === version.title) continue
    await ctx.db.query(sql`update spec_versions set title = ${title} where id = ${version.id}`)
  }
  if (!isGone) return false
  await ctx.db.query(
    sql`update specs set title = ${after.title}, agent = ${after.agent}, erased_at = ${ctx.now} where id = ${id}`,
  )
  await keepGrams(ctx, 'spec', id, row.title, after.title)
  await unindex(ctx, 'spec', id)
  return true
}

/** An erased name gets a unique replacement, because no two features of a project may have the same name. */
export async function eraseFeature(ctx: Ctx, id: number, isToGo: IsToGo): Promise<boolean> {
  const [row] = await ctx.db.query<{ number: number; name: string; description: string | null; file: string | null }>(
    sql`select number, name, description, file from features where id = ${id} ${ctx.db.dialect.forUpdate}`,
  )
  if (!row) return false
  const { number, ...before } = row
  const isErased = before.name.startsWith(erasedText)
  const texts = eraseIn(before, isToGo)
  const after = {
    name: isErased ? before.name : texts.name === erasedText ? `${erasedText} ${number}` : texts.name,
    description: texts.description,
    file: texts.file,
  }
  if (isDeepStrictEqual({ ...before }, after)) return false
  await ctx.db.query(sql`update features set name = ${after.name}, description = ${after.description},
    file = ${after.file}, erased_at = ${ctx.now}, version = version + 1 where id = ${id}`)
  const textOf = ({ name, description }: typeof after) => `${name}\n${description ?? ''}`
  await keepGrams(ctx, 'feature', id, textOf(before), textOf(after))
  await unindex(ctx, 'feature', id)
  return true
}
