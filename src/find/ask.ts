import sql, { empty, raw, type Sql } from 'sql-template-tag'
import type { Question, Tx, WordQuery } from '../engine/db.ts'
import { firstToken, wordToken } from './entry.ts'
import { slots } from './passage.ts'
import type { FoundIn, PassageRow } from './wait.ts'
import { joiner } from './words.ts'

/** What a search asks the index of words for. */
export interface IndexQuery {
  place: FoundIn
  /** Groups of tokens. At least one token of each group must match. */
  wanted: string[][]
  /** The words of the query; the last may be the beginning of one. */
  terms: string[]
}

/**
 * The newest passages before the row `end`. Common terms fill the page from the recent index. A term that does not is
 * usually rare, so we can afford to read and sort all of its passages.
 */
export async function ask(db: Tx, asked: IndexQuery, end: number, limit: number): Promise<PassageRow[]> {
  const question = questionOf(asked)
  const newest = await askIn(db, sql`search_recent`, question, end, limit)
  if (newest.length === limit) return newest
  const isFrequent =
    end < Number.MAX_SAFE_INTEGER &&
    (await askIn(db, sql`search_recent`, question, Number.MAX_SAFE_INTEGER, limit)).length === limit
  const named = await nameTokens(db, question)
  if (!named) return []
  const without = question.without && (await nameTokens(db, question.without))
  return askIn(db, sql`search_words`, { ...named, without }, end, limit, isFrequent ? empty : db.dialect.afterwards)
}

function questionOf({ place, wanted, terms }: IndexQuery): Question {
  const all = (kind: 'h' | 'w', more: string[][]): WordQuery => ({
    groups: [...more, ...terms.slice(0, -1).map((term) => [wordToken(kind, term)])],
    prefix: wordToken(kind, terms.at(-1) ?? ''),
  })
  return place === 'head' ? all('h', [...wanted, [firstToken]]) : { ...all('w', wanted), without: all('h', []) }
}

/** Puts tokens in the place of the prefix that they begin with, if there are only a few. Undefined if there are none. */
async function nameTokens(db: Tx, words: WordQuery): Promise<WordQuery | undefined> {
  if (words.prefix === undefined) return words
  const found = await tokensFrom(db, words.prefix)
  if (!found) return words
  return found.length === 0 ? undefined : { groups: [...words.groups, found] }
}

const askIn = (db: Tx, table: Sql, question: Question, end: number, limit: number, sorted = empty) =>
  db.query<PassageRow>(sql`
    select found.rowid, e.id as entry, e.type, e.subject_id from (
      select rowid from ${table} where ${db.dialect.matches(table, question)} and rowid ${sorted} < ${end}
      order by rowid ${sorted} desc limit ${limit}) as found
    join search_entries e on e.id = found.rowid / ${raw(String(slots))} order by found.rowid desc`)

/** Looking for more words than this takes longer than it saves. */
const mostLooks = 64

/**
 * The tokens of the index that begin with `prefix`: every row that has such a token has one of these. Undefined if there
 * are more than a few, or if the engine finds rows by a prefix as fast as by a word.
 */
async function tokensFrom(db: Tx, prefix: string): Promise<string[] | undefined> {
  if (!db.dialect.firstWord) return undefined
  const tokens: string[] = []
  let from = prefix
  for (let look = 0; look < mostLooks; look++) {
    const token = await db.dialect.firstWord(db, 'search_words', from)
    if (!token?.startsWith(prefix)) return tokens
    // Where `run-17` is indexed, so is `run`.
    const end = token.search(joiner)
    const isCovered = end >= 0 && tokens.includes(token.slice(0, end))
    if (!isCovered) tokens.push(token)
    from = isCovered ? `${token.slice(0, end + 1)}${afterAll}` : `${token}${beforeAll}`
  }
  return undefined
}

/** Characters that come before, and after, any character of a word. */
const beforeAll = '!'
const afterAll = '\u{10ffff}'
