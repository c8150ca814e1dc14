import { setImmediate as turn } from 'node:timers/promises'
import sql, { empty, raw, type Sql } from 'sql-template-tag'
import { ConductError } from '../../api/error.ts'
import type { Found, SearchType } from '../../api/search.ts'
import { decodeHit, encodeHit, type Hit as Place } from '../../ledger/cursor.ts'
import { passageIn, slots } from '../../ledger/passage.ts'
import { snippetOf } from '../../ledger/snippet.ts'
import { termsOf } from '../../ledger/words.ts'
import type { Operation } from '../ctx.ts'
import type { Tx } from '../engine/db.ts'
import { visibleProjects } from '../scope.ts'
import { firstToken, headOf, kindToken, projectToken, textOf, wordToken } from './entry.ts'
import { followLog, isBehind } from './follow.ts'
import { readSubjects } from './subject.ts'

/** How long one step of catching up with the log keeps others waiting. */
const stepMs = 5
/** How long a search waits for the index. */
const patienceMs = 20_000

/** BAD_REQUEST for a cursor that no search gave; NOT_FOUND for an unknown project; UNAVAILABLE while the index is built. */
export const search: Operation<'search'> = async (ctx, { project, q, type, limit, cursor }) => {
  const { all, projects } = await visibleProjects(ctx, project)
  const from = cursor === undefined ? { place: 'head' as const, entry: undefined } : decodeHit(cursor)
  const terms = termsOf(q)
  await catchUp(ctx.db)
  const wanted = [all ? [] : projects.map(({ id }) => projectToken(id)), (type ?? []).map(kindToken)].filter(
    (some) => some.length > 0,
  )
  const hits: Hit[] = []
  for (const place of from.place === 'head' ? (['head', 'body'] as const) : (['body'] as const)) {
    if (terms.length === 0 || hits.length > limit) break
    const before = place === from.place ? from.entry : undefined
    hits.push(...(await find(ctx.db, { place, wanted, terms, before }, limit + 1 - hits.length)))
  }
  const page = hits.slice(0, limit)
  const last = page.at(-1)
  const meta = last && hits.length > limit ? { hasMore: true, nextCursor: encodeHit(last) } : { hasMore: false }
  return { results: page.map((hit) => hit.found), meta }
}

/** Waits until the index is up to the log; other requests come in between. */
async function catchUp(db: Tx): Promise<void> {
  if (!(await isBehind(db))) return
  const end = performance.now() + patienceMs
  while (await followLog(db, stepMs)) {
    if (performance.now() > end) {
      throw new ConductError('UNAVAILABLE', 'The search index is being built: try again in a minute.', {
        retryAfter: 60,
      })
    }
    await turn()
  }
}

interface Hit extends Place {
  found: Found
}

interface Question {
  place: Place['place']
  /** Groups of which one token each must be there. */
  wanted: string[][]
  terms: string[]
  /** The entry before which to begin. */
  before: number | undefined
}

/** The newest subjects, at most `limit`, whose head, or else of which only a passage, has all the terms. */
async function find(db: Tx, question: Question, limit: number): Promise<Hit[]> {
  const hits: Hit[] = []
  let { before } = question
  for (;;) {
    const rows = await ask(db, { ...question, before }, limit - hits.length)
    // A text that has the terms in several passages is found by its last.
    const newest = new Map(rows.toReversed().map((row) => [row.entry, row]))
    const found = await Promise.all([...newest.values()].map((row) => shown(db, row, question)))
    hits.push(...found.filter((hit) => hit !== undefined).sort((a, b) => b.entry - a.entry))
    before = Math.min(...newest.keys())
    if (rows.length === 0 || hits.length >= limit) return hits
  }
}

interface Row {
  entry: number
  rowid: number
  type: SearchType
  subject_id: number
}

/**
 * The newest passages. Terms that many have are found often enough among the newest; what is not has few passages, which
 * all can be read and sorted.
 */
async function ask(db: Tx, question: Question, limit: number): Promise<Row[]> {
  const newest = await askIn(db, sql`search_recent`, question, limit)
  if (newest.length === limit) return newest
  const isFrequent =
    question.before !== undefined &&
    (await askIn(db, sql`search_recent`, { ...question, before: undefined }, limit)).length === limit
  return askIn(db, sql`search_words`, question, limit, isFrequent ? empty : db.dialect.afterwards)
}

async function askIn(db: Tx, table: Sql, { place, wanted, terms, before }: Question, limit: number, sorted = empty) {
  const inHead = terms.map((term) => wordToken('h', term))
  const question =
    place === 'head'
      ? { wanted: [...wanted, [firstToken]], terms: inHead }
      : { wanted, terms: terms.map((term) => wordToken('w', term)), without: inHead }
  const end = before === undefined ? Number.MAX_SAFE_INTEGER : before * slots
  return db.query<Row>(sql`
    select found.rowid, e.id as entry, e.type, e.subject_id from (
      select rowid from ${table} where ${db.dialect.matches(table, question)} and rowid < ${end}
      order by rowid ${sorted} desc limit ${limit}) as found
    join search_entries e on e.id = found.rowid / ${raw(String(slots))} order by found.rowid desc`)
}

/** A hit as it is shown; undefined when its subject is gone. */
async function shown(db: Tx, { entry, type, subject_id: id, rowid }: Row, { place, terms }: Question) {
  const subject = (await readSubjects(db, type, [id])).get(id)
  if (!subject) return undefined
  const { slug: project, subject: human, title, status, updated_at: updatedAt, more } = subject
  const passage = await textOf(db, subject, passageIn(rowid % slots, subject.bytes))
  const snippet = snippetOf(`${passage}\n${more}`.trim() || headOf(subject), terms)
  const found: Found = { type, project, subject: human, title, snippet, status, updatedAt }
  return { place, entry, found }
}
