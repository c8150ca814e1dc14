import sql, { join, raw, type Sql } from 'sql-template-tag'
import type { Tx } from '../engine/db.ts'
import type { Ctx, ProjectRef } from './ctx.ts'
import { byTime, byTimeEverywhere, type IndexWalk } from './page.ts'
import { idsOf } from './pieces.ts'
import type { Scope } from './scope.ts'

/** Whether a column contains `part` literally. A to Z match in either case, which is all that both engines support. */
export function likeOf(column: string, part: string): Sql {
  const escaped = part.replace(/[\\%_]/g, '\\$&').replace(/[A-Z]/g, (letter) => letter.toLowerCase())
  return sql`lower(${raw(column)}) like ${`%${escaped}%`} escape '\\'`
}

/** Whether a column begins with `text`, as it is written or in capitals, so that an index of the column can tell. */
export function beginsOf(column: string, text: string): Sql {
  const ranges = [...new Set([text, text.toUpperCase()])].map(
    (one) => sql`(${raw(column)} >= ${one} and ${raw(column)} < ${`${one}\u{10ffff}`})`,
  )
  return sql`(${join(ranges, ' or ')})`
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

/** The tables, with their aliases in lists, and the ids by which their rows are found, too. */
const lists = {
  spec: { table: sql`specs`, alias: 'specs', id: 'spec_id' },
  feature: { table: sql`features f`, alias: 'f', id: undefined },
}

/**
 * The walks through the rows of projects: those with `part` in one of their texts, as `like` defines it; all
 * rows without a `part`. Few rows are found by their grams and then sorted, all in one walk. A part that many rows
 * contain is soon met among the newest, of all projects if the list covers them `all`, else of each.
 */
export async function gramWalks(
  { db }: Ctx,
  noun: Noun,
  { all, projects }: Pick<Scope, 'all' | 'projects'>,
  part: string | undefined,
  like: (part: string) => Sql,
): Promise<IndexWalk[]> {
  const { table, alias } = lists[noun]
  const found = part === undefined ? undefined : await findFew(db, noun, projects, part)
  const isLike = part === undefined ? [] : [like(part)]
  if (!found && all) return [{ from: table, where: [sql`1 = 1`, ...isLike], ...byTimeEverywhere(alias) }]
  const order = byTime(alias)
  if (!found) {
    return projects.map(({ id }) => ({
      from: table,
      where: [sql`${raw(alias)}.project_id = ${id}`, ...isLike],
      ...order,
    }))
  }
  if (found.length === 0) return []
  const { from, where } = db.dialect.ledBy(found, table, `${alias}.id`)
  const ofProjects = db.dialect.isOneOf(`${alias}.project_id`, idsOf(projects))
  return [{ from, where: [where, ofProjects, ...isLike], ...order }]
}

/** Sorting this many rows is cheap, wherever in the table they are. */
const few = 2000

/** The rows with all grams of a part, and those whose id begins with it; undefined if there are many. */
async function findFew(db: Tx, noun: Noun, projects: ProjectRef[], part: string): Promise<number[] | undefined> {
  const { grams, prefix } = gramsOfPart(part)
  const question = { groups: [projects.map(({ id }) => projectWord(id)), ...grams.map((gram) => [gram])], prefix }
  const found = await db.query<{ rowid: number }>(sql`
    select rowid from ${tableOf(noun)} where ${db.dialect.matches(tableOf(noun), question)} limit ${few + 1}`)
  const { table, id } = lists[noun]
  const named =
    id === undefined || projects.length === 0
      ? []
      : await db.query<{ rowid: number }>(sql`
          select id as rowid from ${table}
          where ${db.dialect.isOneOf('project_id', idsOf(projects))} and ${beginsOf(id, part)} limit ${few + 1}`)
  const all = new Set([...found, ...named].map(({ rowid }) => rowid))
  return all.size > few ? undefined : [...all]
}

/** The number of characters of a gram. */
const size = 3

const asciiLower = (text: string) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
const hexOf = (characters: string[]) => Buffer.from(characters.join('')).toString('hex')

/**
 * The grams by which any part of a text can be found: each character with the two after it, in hexadecimal so that no
 * engine's word rules apply. A to Z count as lower case.
 */
function gramsOf(text: string): string[] {
  const characters = [...asciiLower(text)]
  return [...new Set(characters.map((_, at) => hexOf(characters.slice(at, at + size))))]
}

/** The grams of every text that contains this part. For a part shorter than a gram, the prefix of one instead. */
function gramsOfPart(part: string): { grams: string[]; prefix?: string } {
  const characters = [...asciiLower(part)]
  if (characters.length < size) return { grams: [], prefix: hexOf(characters) }
  const count = characters.length - size + 1
  return { grams: [...new Set(Array.from({ length: count }, (_, at) => hexOf(characters.slice(at, at + size))))] }
}
