import sql, { empty, type Sql } from 'sql-template-tag'
import { type Found, type SearchType, searchable } from '../../api/search.ts'
import { decodeHit, encodeHit } from '../../ledger/cursor.ts'
import { snippetOf } from '../../ledger/snippet.ts'
import { termsOf, wordsOf } from '../../ledger/words.ts'
import type { Ctx, Operation } from '../ctx.ts'
import type { Tx } from '../engine/db.ts'
import { numberEvents } from '../log/event.ts'
import { visibleProjects } from '../scope.ts'
import { readSubject, type Subject } from './subject.ts'

const indexedAtOnce = 200
/** How many of the newest entries have an index of their own, so that a search for what many have reads only those. */
const recentEntries = 4096

/**
 * Every word is indexed under a letter that says where it stands: `h` in the head (id, title), `w` anywhere; `p` is the
 * project and `k` the kind. Words are written in hexadecimal, so that no engine's syntax or word rules touch them.
 */
const token = (place: 'h' | 'w', word: string) => place + Buffer.from(word).toString('hex')
const projectToken = (id: number) => `p${id}`
const kindToken = (type: SearchType) => `k${type}`

/**
 * Brings the index up to the log: each subject of the events since the last time is indexed as it is now. One transaction
 * of all servers does so at a time. A new entry has a higher id than all before it, so their order is that of changes.
 */
export async function indexEvents(db: Tx): Promise<void> {
  await numberEvents(db)
  // Mostly there is nothing to do, and a transaction would take the place of a writer.
  const [waiting] = await db.query(sql`
    select 1 as one from search_state where id = 1 and last_seq < (select max(seq) from events)`)
  let isMore = waiting !== undefined
  while (isMore) isMore = await db.tx(indexBatch)
}

async function indexBatch(tx: Tx): Promise<boolean> {
  const [state] = await tx.query<{ last_seq: number }>(
    sql`select last_seq from search_state where id = 1 ${tx.dialect.forUpdate}`,
  )
  const events = await tx.query<{ seq: number; type: string; subject_id: number }>(sql`
    select seq, type, subject_id from events where seq > ${state?.last_seq ?? 0} order by seq limit ${indexedAtOnce}`)
  const last = events.at(-1)
  if (!last) return false
  const subjects = new Map<string, Omit<Entry, 'id'>>()
  for (const { type: eventType, subject_id: subjectId } of events) {
    const type = searchable.find((one) => eventType.startsWith(`${one}.`))
    if (!type) continue
    const key = `${type} ${subjectId}`
    // Set anew, so that the subjects come in the order of their last change.
    subjects.delete(key)
    subjects.set(key, { type, subjectId })
  }
  const entries: Entry[] = []
  for (const subject of subjects.values()) entries.push(await renewEntry(tx, subject))
  for (const entry of entries) await indexEntry(tx, entry)
  const newest = entries.at(-1)
  if (newest) await tx.query(sql`delete from search_recent where rowid <= ${newest.id - recentEntries}`)
  await tx.query(sql`update search_state set last_seq = ${last.seq} where id = 1`)
  return events.length === indexedAtOnce
}

interface Entry {
  id: number
  type: SearchType
  subjectId: number
}

/** Takes the words of a subject out of the index, and gives it an entry newer than all others. */
async function renewEntry(tx: Tx, { type, subjectId }: Omit<Entry, 'id'>): Promise<Entry> {
  const [old] = await tx.query<{ id: number }>(
    sql`delete from search_entries where type = ${type} and subject_id = ${subjectId} returning id`,
  )
  if (old) {
    await tx.query(sql`delete from search_words where rowid = ${old.id}`)
    await tx.query(sql`delete from search_recent where rowid = ${old.id}`)
  }
  const [entry] = await tx.query<{ id: number }>(
    sql`insert into search_entries (type, subject_id) values (${type}, ${subjectId}) returning id`,
  )
  return { id: (entry as { id: number }).id, type, subjectId }
}

/**
 * Writes the words of an entry. Comes after the entries of the whole batch: a statement with `returning` has SQLite write
 * out what FTS5 has gathered so far, which then is a segment of the index for each entry rather than for the batch.
 */
async function indexEntry(tx: Tx, { id, type, subjectId }: Entry): Promise<void> {
  const subject = await readSubject(tx, type, subjectId)
  if (!subject) {
    await tx.query(sql`delete from search_entries where id = ${id}`)
    return
  }
  const head = wordsOf(headOf(subject))
  const words = tx.dialect.words([
    projectToken(subject.project_id),
    kindToken(type),
    ...[...head].map((word) => token('h', word)),
    ...[...head.union(wordsOf(subject.body))].map((word) => token('w', word)),
  ])
  await tx.query(sql`insert into search_words (rowid, words) values (${id}, ${words})`)
  await tx.query(sql`insert into search_recent (rowid, words) values (${id}, ${words})`)
}

const headOf = ({ subject, title }: Subject) => `${subject} ${title ?? ''}`

/** BAD_REQUEST for a cursor that no search gave; NOT_FOUND for an unknown project. */
export const search: Operation<'search'> = async (ctx, { project, q, type, limit, cursor }) => {
  const { all, projects } = await visibleProjects(ctx, project)
  const from = cursor === undefined ? { place: 'head' as const, entry: undefined } : decodeHit(cursor)
  const terms = termsOf(q)
  await indexEvents(ctx.db)
  const wanted = [all ? [] : projects.map(({ id }) => projectToken(id)), (type ?? []).map(kindToken)].filter(
    (some) => some.length > 0,
  )
  const hits: Hit[] = []
  for (const place of from.place === 'head' ? (['head', 'body'] as const) : (['body'] as const)) {
    if (terms.length === 0 || hits.length > limit) break
    const before = place === from.place ? from.entry : undefined
    hits.push(...(await find(ctx, { place, wanted, terms, before }, limit + 1 - hits.length)))
  }
  const page = hits.slice(0, limit)
  const last = page.at(-1)
  const meta = last && hits.length > limit ? { hasMore: true, nextCursor: encodeHit(last) } : { hasMore: false }
  const results = await Promise.all(page.map((hit) => shown(ctx, hit, terms)))
  return { results: results.filter((one) => one !== undefined), meta }
}

interface Hit {
  place: 'head' | 'body'
  entry: number
  type: SearchType
  subject_id: number
}

interface Question {
  place: Hit['place']
  /** Groups of which one token each must be there. */
  wanted: string[][]
  terms: string[]
  /** The entry before which to begin. */
  before: number | undefined
}

/**
 * The newest entries whose head, or else only whose body, has all the terms. Terms that many entries have are found often
 * enough among the newest; what is not has few entries, which all can be read and sorted.
 */
async function find(ctx: Ctx, question: Question, limit: number): Promise<Hit[]> {
  const newest = await ask(ctx, sql`search_recent`, question, limit)
  if (newest.length === limit) return newest
  const { before } = question
  const isFrequent =
    before !== undefined &&
    (await ask(ctx, sql`search_recent`, { ...question, before: undefined }, limit)).length === limit
  return ask(ctx, sql`search_words`, question, limit, isFrequent ? empty : ctx.db.dialect.afterwards)
}

async function ask(ctx: Ctx, table: Sql, { place, wanted, terms, before }: Question, limit: number, sorted = empty) {
  const inHead = terms.map((term) => token('h', term))
  const question =
    place === 'head'
      ? { wanted, terms: inHead }
      : { wanted, terms: terms.map((term) => token('w', term)), without: inHead }
  const rows = await ctx.db.query<Omit<Hit, 'place'>>(sql`
    select e.id as entry, e.type, e.subject_id from (
      select rowid from ${table} where ${ctx.db.dialect.matches(table, question)} and rowid < ${before ?? Number.MAX_SAFE_INTEGER}
      order by rowid ${sorted} desc limit ${limit}) as found
    join search_entries e on e.id = found.rowid order by e.id desc`)
  return rows.map((row): Hit => ({ place, ...row }))
}

async function shown(ctx: Ctx, { type, subject_id: id }: Hit, terms: string[]): Promise<Found | undefined> {
  const subject = await readSubject(ctx.db, type, id)
  if (!subject) return undefined
  const { slug: project, subject: human, title, status, updated_at: updatedAt, body } = subject
  return { type, project, subject: human, title, snippet: snippetOf(body || headOf(subject), terms), status, updatedAt }
}
