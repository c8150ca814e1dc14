import sql, { empty, raw, type Sql } from 'sql-template-tag'
import { gramsOf, gramsOfPart } from '../ledger/grams.ts'
import type { Ctx, ProjectRef } from './ctx.ts'

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

/** A part that more rows than this contain is found quickly among the newest rows. */
const few = 2000

/** The conditions for rows with `part` in one of their texts, as `like` defines it. Empty without a `part`. */
export async function partFilter(
  { db }: Ctx,
  noun: Noun,
  projects: ProjectRef[],
  part: string | undefined,
  like: (part: string) => Sql,
): Promise<Sql[]> {
  if (part === undefined) return []
  const question = { wanted: [projects.map(({ id }) => projectWord(id))], terms: gramsOfPart(part) }
  const found = sql`select rowid from ${tableOf(noun)} where ${db.dialect.matches(tableOf(noun), question)}`
  const [count] = await db.query<{ count: number }>(
    sql`select count(*) as count from (select 1 as one from (${found}) as found limit ${few + 1}) as counted`,
  )
  const isRare = (count?.count ?? 0) <= few
  return [like(part), isRare ? sql`${raw(aliasOf[noun])}.id in (${found})` : empty].filter((one) => one !== empty)
}

/** The aliases of these tables in lists. */
const aliasOf = { spec: 'specs', feature: 'f' } as const
