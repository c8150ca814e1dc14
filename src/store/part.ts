import sql, { empty, raw, type Sql } from 'sql-template-tag'
import { gramsOf, gramsOfPart } from '../ledger/grams.ts'
import type { Ctx, ProjectRef } from './ctx.ts'

/** Whether a column holds `part`, as it stands. Letters A to Z match in either case; that is what both engines can promise. */
export function likeOf(column: string, part: string): Sql {
  const escaped = part.replace(/[\\%_]/g, '\\$&').replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  return sql`lower(${raw(column)}) like ${`%${escaped}%`} escape '\\'`
}

type Noun = 'spec' | 'feature'

const tableOf = (noun: Noun) => raw(`${noun}_grams`)
const projectWord = (id: number) => `p${id}`

/** The words under which a row is found by parts of its text. */
export const gramWords = (projectId: number, text: string) => [projectWord(projectId), ...gramsOf(text)]

/** Brings what finds a row by parts of its text up to a change of that text; undefined: there is no such row. */
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

/** A part that more rows than these have is soon found by looking at the newest. */
const few = 2000

/** The conditions on a list of rows that have `part` in one of their texts, as `like` says. None where there is no `part`. */
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

/** The names under which the lists read these tables. */
const aliasOf = { spec: 'specs', feature: 'f' } as const
