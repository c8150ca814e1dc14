import { setImmediate as turn } from 'node:timers/promises'
import sql from 'sql-template-tag'
import type { Tx } from '../engine/db.ts'
import { headOf, type IndexChange, type IndexEntry, moreOf, planOf, rowOf, textOf, wordsOfPassage } from './entry.ts'
import type { SearchType } from './fields.ts'
import { readStale } from './follow.ts'
import { type Subject, subjectsOf } from './subject.ts'
import { fold } from './words.ts'

const entriesAtOnce = 50
/** How many passages of a text to read at once. A text is found by its last one, so the rest need no reading. */
const passagesAtOnce = 4
/** How long a search may block the event loop, in milliseconds. */
const turnMs = 5

/** A passage with all terms. */
export interface PassageRow {
  rowid: number
  entry: number
  type: SearchType
  subject_id: number
}

/** Where all terms were found: in the head (id and title), or else in a passage. */
export type FoundIn = 'head' | 'body'

/** What the index does not contain yet. */
export interface Waiting {
  /** Whether a row of the index is outdated. */
  isStale(rowid: number): boolean
  /** Passages with all terms that are not indexed in their current state, newest first. */
  rows: Record<FoundIn, PassageRow[]>
}

export interface PassageQuery {
  terms: string[]
  has(type: SearchType, projectId: number): boolean
  /** Called regularly. If it throws, reading stops. */
  goesOn(): void
}

/** The passages of a text to read, the last row of the index first. */
interface Unread {
  entry: IndexEntry
  subject: Subject
  passages: { passage: number; rowid: number }[]
}

/**
 * Reads the passages that wait for the index, so that a search finds new text at once. The marks must be up to date
 * with the log, and the index must be searched afterwards: what gets indexed in between then counts once.
 */
export async function readWaiting(db: Tx, wanted: PassageQuery): Promise<Waiting> {
  const stale = new Set<number>()
  const gone: IndexChange['drops'] = []
  const rows: Waiting['rows'] = { head: [], body: [] }
  const pause = pauses()
  for (let before = Number.MAX_SAFE_INTEGER, isMore = true; isMore; ) {
    const entries = await readStale(db, sql`id < ${before} order by id desc`, entriesAtOnce)
    const unread: Unread[] = []
    const subjectOf = await subjectsOf(db, entries)
    for (const entry of entries) {
      const subject = subjectOf(entry)
      const { drops, edges, grown } = planOf(entry, subject)
      gone.push(...drops)
      const passages = [...edges, ...grown].map((passage) => ({ passage, rowid: rowOf(entry.id, passage) }))
      for (const { rowid } of passages) stale.add(rowid)
      if (!subject || !wanted.has(entry.type, subject.project_id)) continue
      unread.push({ entry, subject, passages: passages.sort((a, b) => b.rowid - a.rowid) })
    }
    for (const one of unread) {
      const found = await findIn(db, one, wanted, pause)
      if (found) rows[found.place].push(found.row)
    }
    isMore = entries.length === entriesAtOnce
    before = entries.at(-1)?.id ?? 0
  }
  for (const some of Object.values(rows)) some.sort((a, b) => b.rowid - a.rowid)
  return { rows, isStale: (rowid) => stale.has(rowid) || gone.some(({ from, to }) => from <= rowid && rowid <= to) }
}

/** Yields to others after long enough. */
function pauses() {
  let began = performance.now()
  return async () => {
    if (performance.now() - began < turnMs) return
    await turn()
    began = performance.now()
  }
}

type FoundPassage = { place: FoundIn; row: PassageRow }

/** The passage by which a text is found, by the rules of the index: the first if the head has all terms, else the last. */
async function findIn(
  db: Tx,
  { entry, subject, passages }: Unread,
  { terms, goesOn }: PassageQuery,
  pause: () => Promise<void>,
): Promise<FoundPassage | undefined> {
  const found = (place: FoundIn, rowid: number): FoundPassage => ({
    place,
    row: { rowid, entry: entry.id, type: entry.type, subject_id: entry.subject_id },
  })
  if (hasTerms(wordsOfPassage(subject, '').head, terms)) {
    const first = passages.find(({ passage }) => passage === 0)
    return first && found('head', first.rowid)
  }
  for (let at = 0; at < passages.length; at += passagesAtOnce) {
    const some = passages.slice(at, at + passagesAtOnce)
    const texts = await Promise.all(some.map(({ passage }) => textOf(db, subject, passage)))
    const last = some.find((_, index) => isIn(subject, texts[index] ?? '', terms))
    goesOn()
    await pause()
    if (last) return found('body', last.rowid)
  }
}

/** Whether a passage has all terms. */
function isIn(subject: Subject, text: string, terms: string[]): boolean {
  // A plain text search rules out most passages in a fraction of the time that splitting into words takes.
  const folded = fold(`${headOf(subject)}\n${moreOf(subject)}\n${text}`)
  return terms.every((term) => folded.includes(fold(term))) && hasTerms(wordsOfPassage(subject, text).all, terms)
}

/** Whether all terms are in the words; the last term may be a prefix. */
function hasTerms(words: Set<string>, terms: string[]): boolean {
  const last = terms.at(-1) ?? ''
  return terms.slice(0, -1).every((term) => words.has(term)) && [...words].some((word) => word.startsWith(last))
}
