import sql, { join, type Sql } from 'sql-template-tag'
import { isActivity } from '../contract/event-type.ts'
import type { Tx } from '../engine/db.ts'
import { listOf, piecesOf } from '../frame/pieces.ts'
import { numberEvents } from '../log/number.ts'
import { type Budget, entryOf, type IndexEntry, type PassageWords, type Renewal, renew } from './entry.ts'
import { searchable } from './fields.ts'
import { slots } from './passage.ts'
import { rowsOf, subjectsOf } from './subject.ts'

const eventsAtOnce = 500
const entriesAtOnce = 10
/** A step writes its words once it has this many, because writing takes the most time. */
const wordsAtOnce = 3_000
/** The newest entries have a second, smaller index, so that a search for common words reads only those. */
const recentEntries = 4096

/** Whether the index is behind the log. */
export async function isBehind(db: Tx): Promise<boolean> {
  await numberEvents(db)
  const [behind] = await db.query(sql`
    select 1 as one from followers
    where name = 'search' and (last_seq < (select max(seq) from events)
      or exists (select 1 from search_entries where is_stale = 1))`)
  return behind !== undefined
}

/** Whether the index has marked the entries of everything that changed up to event `seq`. */
export async function hasMarked(db: Tx, seq: number): Promise<boolean> {
  await numberEvents(db)
  const [marked] = await db.query(sql`select 1 as one from followers where name = 'search' and last_seq >= ${seq}`)
  return marked !== undefined
}

/**
 * Marks the entries of all subjects with new events. Until they are indexed again, the index has their earlier state,
 * or nothing. Leaves out what comes meanwhile: if others write without pause, it would never end.
 */
export async function markChanged(db: Tx): Promise<void> {
  await numberEvents(db)
  const [behind] = await db.query<{ events: number }>(sql`
    select (select max(seq) from events) - last_seq as events from followers
    where name = 'search' and last_seq < (select max(seq) from events) and ${db.dialect.isWritable}`)
  for (let left = behind?.events ?? 0; left > 0; left -= eventsAtOnce) await db.tx(async (tx) => markNext(tx))
}

/** A step of `followLog`; writes nothing if the index is up to date. */
export const indexMore = async (db: Tx, ms: number): Promise<boolean> => (await isBehind(db)) && followLog(db, ms)

/**
 * Advances the index for about `ms` milliseconds: marks entries with new events, merges what earlier steps wrote, and
 * indexes marked entries. Only one transaction across all servers does this at a time. No text can block it, because it
 * writes a bounded amount per passage. Returns whether there is more to do.
 */
export function followLog(db: Tx, ms: number): Promise<boolean> {
  return db.tx(async (tx) => {
    const budget = budgetOf(ms)
    const isMoreToMark = await markNext(tx)
    if (await tidyWords(tx, budget)) return true
    const { isMore } = await renewStale(tx, sql`1 = 1`, 0, budget)
    return isMoreToMark || isMore
  })
}

/** The newest entry of the index. */
export async function lastEntry(db: Tx): Promise<number> {
  const [newest] = await db.query<{ id: number | null }>(sql`select max(id) as id from search_entries`)
  return newest?.id ?? 0
}

/**
 * Removes words of erased and deleted subjects from the index for about `ms` milliseconds, in the order of their entries.
 * Returns the last entry, or undefined if none is left in that range. Unlike `followLog`, it ends while others write
 * without pause.
 */
export function dropErased(
  db: Tx,
  { after, until }: { after: number; until: number },
  ms: number,
): Promise<number | undefined> {
  return db.tx(async (tx) => {
    await lockIndex(tx)
    const isGone = searchable.map(
      (type) => sql`(type = ${type} and not exists (select 1 from ${rowsOf[type]} s where s.id = subject_id))`,
    )
    const condition = sql`id <= ${until} and (head = '' or ${join(isGone, ' or ')})`
    const { last } = await renewStale(tx, condition, after, budgetOf(ms))
    return last > after ? last : undefined
  })
}

/**
 * Indexes marked entries that meet a condition, in their order, from the one after `last`, until the budget is spent.
 * Returns the last entry, and whether there is more to index.
 */
async function renewStale(tx: Tx, condition: Sql, last: number, budget: Budget) {
  const renewals: Renewal[] = []
  let isMore: boolean
  do {
    const stale = await readStale(tx, sql`id > ${last} and ${condition} order by id`, entriesAtOnce)
    const subjectOf = await subjectsOf(tx, stale)
    isMore = stale.length === entriesAtOnce
    for (const entry of stale) {
      if (renewals.length > 0 && budget.isSpent()) {
        isMore = true
        break
      }
      const renewal = await renew(tx, entry, subjectOf(entry), budget)
      renewals.push(renewal)
      last = entry.id
    }
  } while (isMore && !budget.isSpent())
  await write(tx, renewals)
  return { last, isMore: isMore || renewals.some(({ isDone }) => !isDone) }
}

/**
 * Locks the index of words until the caller's transaction ends, so that no indexer writes words of rows that it read before
 * the caller changes them. Returns the last event that the index has read.
 */
export async function lockIndex(tx: Tx): Promise<number> {
  const [state] = await tx.query<{ last_seq: number }>(
    sql`select last_seq from followers where name = 'search' ${tx.dialect.forUpdate}`,
  )
  return state?.last_seq ?? 0
}

/** Entries that wait to be indexed. `place` selects and orders them. */
export const readStale = (db: Tx, place: Sql, limit: number) =>
  db.query<IndexEntry>(sql`
    select id, type, subject_id, document_id, head, bytes, gap from search_entries
    where is_stale = 1 and ${place} limit ${limit}`)

function budgetOf(ms: number): Budget {
  const end = performance.now() + ms
  let words = 0
  return {
    isSpent: () => words >= wordsAtOnce || performance.now() > end,
    spend(more) {
      words += more
    },
  }
}

/**
 * Marks the entries of the next events; only one server does so at a time. Returns whether there may be more events.
 */
async function markNext(tx: Tx): Promise<boolean> {
  return markStale(tx, await lockIndex(tx))
}

/** Marks the entries of changed subjects, creating missing ones. Returns whether there may be more events to read. */
async function markStale(tx: Tx, after: number): Promise<boolean> {
  const events = await tx.query<{ seq: number; type: string; subject_id: number }>(sql`
    select seq, type, subject_id from events where seq > ${after} order by seq limit ${eventsAtOnce}`)
  const last = events.at(-1)
  if (!last) return false
  const changed = new Map<string, Sql>()
  for (const { type: eventType, subject_id: id } of events) {
    if (isActivity(eventType)) continue
    const type = searchable.find((one) => eventType.startsWith(`${one}.`))
    if (type) changed.set(`${type} ${id}`, sql`(${type}, ${id}, 1)`)
  }
  for (const some of piecesOf([...changed.values()])) {
    await tx.query(sql`insert into search_entries (type, subject_id, is_stale) values ${join(some)}
      on conflict (type, subject_id) do update set is_stale = 1`)
  }
  const turns = new Set(events.filter(({ type }) => type.startsWith('turn.')).map(({ subject_id }) => subject_id))
  for (const some of piecesOf([...turns])) await markDiffs(tx, some)
  await tx.query(sql`update followers set last_seq = ${last.seq} where name = 'search'`)
  return events.length === eventsAtOnce
}

/** Marks the entries of the diffs of turns: those that there are now, and those that there were. */
async function markDiffs(tx: Tx, turns: number[]): Promise<void> {
  await tx.query(sql`insert into search_entries (type, subject_id, turn_id, is_stale)
    select 'diff', id, turn_id, 1 from ${rowsOf.diff} d where turn_id in (${listOf(turns)}) order by id
    on conflict (type, subject_id) do nothing`)
  await tx.query(sql`update search_entries set is_stale = 1 where turn_id in (${listOf(turns)})`)
}

/** Merges the indexes of words until nothing is left to merge or the budget is spent. Returns whether it is spent. */
async function tidyWords(tx: Tx, budget: Budget): Promise<boolean> {
  for (const table of ['search_words', 'search_recent']) {
    while (await tx.dialect.tidyWords(tx, table)) if (budget.isSpent()) return true
  }
  return false
}

/**
 * Writes the renewed entries: first deletions, then words in rowid order, which FTS5 gathers into a single segment. No
 * statement waits for the one before.
 */
async function write(tx: Tx, renewals: Renewal[]): Promise<void> {
  const oldest = (await lastEntry(tx)) - recentEntries + 1
  const drops = renewals.flatMap(({ drops }) => drops)
  const words = renewals.flatMap(({ words }) => words).sort((a, b) => a.rowid - b.rowid)
  const recent = words.filter(({ rowid }) => entryOf(rowid) >= oldest)
  const statements = [
    ...renewals.map(keep),
    ...deleteWords(sql`search_words`, drops),
    ...deleteWords(sql`search_recent`, drops),
    sql`delete from search_recent where rowid < ${oldest * slots}`,
    ...insertWords(tx, sql`search_words`, words),
    ...insertWords(tx, sql`search_recent`, recent),
  ]
  await Promise.all(statements.map((statement) => tx.query(statement)))
}

const keep = ({ id, entry, isDone }: Renewal): Sql =>
  entry
    ? sql`update search_entries set document_id = ${entry.document_id}, head = ${entry.head}, bytes = ${entry.bytes},
        gap = ${entry.gap}, is_stale = ${isDone ? 0 : 1} where id = ${id}`
    : sql`delete from search_entries where id = ${id}`

/** Deletes many ranges in one statement. With several statements, FTS5 would write a segment for each. */
const deleteWords = (table: Sql, drops: Renewal['drops']): Sql[] =>
  piecesOf(drops.map(({ from, to }) => sql`(cast(${from} as bigint), cast(${to} as bigint))`)).map(
    (some) => sql`delete from ${table} where rowid in (
      select ${table}.rowid from (values ${join(some)}) as gone
      join ${table} on ${table}.rowid between gone.column1 and gone.column2)`,
  )

const insertWords = (tx: Tx, table: Sql, rows: PassageWords[]): Sql[] =>
  piecesOf(
    rows.map(({ rowid, words }) => sql`(${rowid}, ${tx.dialect.words(words)})`),
    tx.dialect.wordRowsAtOnce,
  ).map((some) => sql`insert into ${table} (rowid, words) values ${join(some)}`)
