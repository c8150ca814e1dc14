import { setImmediate as turn } from 'node:timers/promises'
import sql from 'sql-template-tag'
import type { SearchType } from '../../api/search.ts'
import { fold } from '../../ledger/words.ts'
import type { Tx } from '../engine/db.ts'
import { type Entry, headOf, type Plan, planOf, rowOf, textOf, wordsOfPassage } from './entry.ts'
import { readStale } from './follow.ts'
import { type Subject, subjectsOf } from './subject.ts'

const entriesAtOnce = 50
const passagesAtOnce = 16
/** How long a search may block the event loop, in milliseconds. */
const turnMs = 5

/** A passage with all terms. */
export interface Row {
  rowid: number
  entry: number
  type: SearchType
  subject_id: number
}

/** Where all terms were found: in the head (id and title), or else in a passage. */
export type Place = 'head' | 'body'

/** What the index does not contain yet. */
export interface Waiting {
  /** Whether a row of the index is outdated. */
  isStale(rowid: number): boolean
  /** Passages with all terms that are not indexed in their current state, newest first. */
  rows: Record<Place, Row[]>
}

export interface Wanted {
  terms: string[]
  has(type: SearchType, projectId: number): boolean
  /** Called regularly. If it throws, reading stops. */
  goesOn(): void
}

/** A passage to read. */
interface Unread {
  entry: Entry
  subject: Subject
  passage: number
  rowid: number
}

/**
 * Reads the passages that wait for the index, so that a search finds new text at once. The marks must be up to date
 * with the log, and the index must be searched afterwards: what gets indexed in between then counts once.
 */
export async function readWaiting(db: Tx, wanted: Wanted): Promise<Waiting> {
  const stale = new Set<number>()
  const gone: Plan['drops'] = []
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
      for (const passage of [...edges, ...grown]) {
        const rowid = rowOf(entry.id, passage)
        stale.add(rowid)
        if (subject && wanted.has(entry.type, subject.project_id)) unread.push({ entry, subject, passage, rowid })
      }
    }
    for (let at = 0; at < unread.length; at += passagesAtOnce) {
      await readPassages(db, unread.slice(at, at + passagesAtOnce), wanted.terms, rows)
      wanted.goesOn()
      await pause()
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

/** Adds the passages with all terms to `rows`. */
async function readPassages(db: Tx, unread: Unread[], terms: string[], rows: Waiting['rows']): Promise<void> {
  const places = await Promise.all(unread.map((one) => placeIn(db, one, terms)))
  for (const [index, place] of places.entries()) {
    const { entry, rowid } = unread[index] as Unread
    if (place) rows[place].push({ rowid, entry: entry.id, type: entry.type, subject_id: entry.subject_id })
  }
}

/** Where in a passage all terms are, by the rules of the index. */
async function placeIn(db: Tx, { subject, passage }: Unread, terms: string[]): Promise<Place | undefined> {
  const text = await textOf(db, subject, passage)
  // A plain text search rules out most passages in a fraction of the time that splitting into words takes.
  const folded = fold(`${headOf(subject)}\n${subject.more}\n${text}`)
  if (!terms.every((term) => folded.includes(fold(term)))) return undefined
  const { head, all } = wordsOfPassage(subject, text)
  if (hasTerms(head, terms)) return passage === 0 ? 'head' : undefined
  return hasTerms(all, terms) ? 'body' : undefined
}

/** Whether all terms are in the words; the last term may be a prefix. */
function hasTerms(words: Set<string>, terms: string[]): boolean {
  const last = terms.at(-1) ?? ''
  return terms.slice(0, -1).every((term) => words.has(term)) && [...words].some((word) => word.startsWith(last))
}
