import sql, { raw, type Sql } from 'sql-template-tag'
import { gramsOf, gramsOfPart } from '../ledger/grams.ts'
import type { Ctx, ProjectRef } from './ctx.ts'
import type { Tx } from './engine/db.ts'
import type { Walk } from './page.ts'

/** Whether a column contains `part` literally. A to Z match in either case, which is all that both engines support. */
export function likeOf(column: string, part: string): Sql {
  const escaped = part.replace(/[\\%_]/g, '\\$&').replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  return sql`lower(${raw(column)}) like ${`%${escaped}%`} escape '\\'`
}

type Noun = 'spec' | 'feature'

const tableOf = (noun: Noun) => raw(`${noun}_grams`)
const projectWord = (id: number) => `p${id}`

/** The words that find a row by parts of its text. */
export const gramWords = (projectId: number, text: string) => [projectWord(projectId), ...gramsOf(text)]

/** Updates the index of parts after the text of a row changed; undefined means that the row does not exist. */
export async function keepGrams(
  ctx: Ctx,
  noun: Noun,
  id: number,
  before: string | null | undefined,
  after: string | null | undefined,
): Promise<void> {
  if (before === after) return
  if (before !== undefined) await ctx.db.query(sql`delete from ${tableOf(noun)} where rowid = ${id}`)
  if (after === undefined) return
  const words = ctx.db.dialect.words(gramWords(ctx.project.id, after ?? ''))
  await ctx.db.query(sql`insert into ${tableOf(noun)} (rowid, words) values (${id}, ${words})`)
}

/** The tables, with their aliases in lists. */
const lists = { spec: { table: sql`specs`, alias: 'specs' }, feature: { table: sql`features f`, alias: 'f' } }

/** The start of a walk through the rows of a project. */
type Start = (projectId: number) => Pick<Walk, 'from' | 'where'>

/**
 * How to walk through the rows with `part` in one of their texts, as `like` defines it; through all rows without a
 * `part`. Few rows are found by their grams and then sorted. A part that many rows contain is soon met among the newest.
 */
export async function partWalk(
  { db }: Ctx,
  noun: Noun,
  projects: ProjectRef[],
  part: string | undefined,
  like: (part: string) => Sql,
): Promise<Start> {
  const { table, alias } = lists[noun]
  const ofProject = (id: number) => sql`${raw(alias)}.project_id = ${id}`
  if (part === undefined) return (id) => ({ from: table, where: [ofProject(id)] })
  const { grams, prefix } = gramsOfPart(part)
  const foundIn = (ids: number[]) => {
    const question = { groups: [ids.map(projectWord), ...grams.map((gram) => [gram])], prefix }
    return sql`select rowid from ${tableOf(noun)} where ${db.dialect.matches(tableOf(noun), question)}`
  }
  if (await isCommon(db, foundIn(projects.map(({ id }) => id)))) {
    return (id) => ({ from: table, where: [ofProject(id), like(part)] })
  }
  return (id) => {
    const { from, where } = db.dialect.ledBy(foundIn([id]), table, `${alias}.id`)
    return { from, where: [where, ofProject(id), like(part)] }
  }
}

/** Sorting this many rows is cheap, wherever in the table they are. */
const few = 2000

async function isCommon(db: Tx, found: Sql): Promise<boolean> {
  const [counted] = await db.query<{ count: number }>(
    sql`select count(*) as count from (select 1 as one from (${found}) as found limit ${few + 1}) as counted`,
  )
  return (counted?.count ?? 0) > few
}
