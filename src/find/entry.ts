import { hash } from 'node:crypto'
import type { Tx } from '../engine/db.ts'
import { readBytes } from '../frame/document.ts'
import type { SearchType } from './fields.ts'
import { growsFrom, knownAfter, passageAt, passageBytes, passageText, reachOf, slotOf, slots } from './passage.ts'
import type { Subject } from './subject.ts'
import { wordsOf } from './words.ts'

/** A subject in the index. Entries keep the order in which their subjects were created. */
export interface IndexEntry {
  id: number
  type: SearchType
  subject_id: number
  /** The indexed document; null until it is indexed. */
  document_id: number | null
  head: string | null
  bytes: number
  gap: number
}

/** The words of a passage, to be written under `rowid`. */
export interface PassageWords {
  rowid: number
  words: string[]
}

/** The new state of an entry, and the index rows to delete and to write. */
export interface Renewal {
  id: number
  /** Undefined if the subject no longer exists. */
  entry: IndexEntry | undefined
  isDone: boolean
  drops: { from: number; to: number }[]
  words: PassageWords[]
}

/** The rowids of an entry in the index of words: one per passage. */
export const rowOf = (entry: number, passage: number) => entry * slots + slotOf(passage)
export const entryOf = (rowid: number) => Math.floor(rowid / slots)

/**
 * Each indexed word has a prefix for its place: `h` in the head (id and title), `w` anywhere. `p` is the project, `k`
 * the kind, and `f` marks the first passage of a text.
 */
export const wordToken = (place: 'h' | 'w', word: string) => place + word
export const projectToken = (id: number) => `p${id}`
export const kindToken = (type: SearchType) => `k${type}`
export const firstToken = 'f'

export const nameOf = ({ subject, title }: Subject) => `${subject} ${title ?? ''}`

/** What finds a subject before others. A diff has none: the many files of a turn would hide what they belong to. */
export const headOf = (subject: Subject) => (subject.type === 'diff' ? '' : nameOf(subject))

/** The short texts besides the head. */
export const moreOf = (subject: Subject) => (subject.type === 'diff' ? nameOf(subject) : subject.more)

/** How the index of an entry differs from its subject. */
export interface IndexChange {
  /**
   * The rows of dropped passages; all rows if the head or the document has changed, or the subject no longer exists.
   */
  drops: { from: number; to: number }[]
  /** The passages to index: first those at the edges of a moved gap, which are done together, then the new text. */
  edges: number[]
  grown: number[]
}

/** Compares an entry with its subject; undefined if the subject no longer exists. */
export function planOf(entry: IndexEntry, subject: Subject | undefined): IndexChange {
  const all = { from: rowOf(entry.id, 0), to: entry.id * slots + slots - 1 }
  if (!subject) return { drops: [all], edges: [], grown: [] }
  const { edges, grown, dropped } = passagesOf(isAsItWas(entry, subject) ? entry : { bytes: 0, gap: 0 }, subject)
  const gone = dropped.map((passage) => ({ from: rowOf(entry.id, passage), to: rowOf(entry.id, passage) }))
  return { drops: isAsItWas(entry, subject) || entry.head === null ? gone : [all, ...gone], edges, grown }
}

/** Whether the text has only grown, or lost part of its middle, since it was indexed. */
const isAsItWas = (entry: IndexEntry, subject: Subject) =>
  entry.head === digestOf(subject) && entry.document_id === subject.document_id && entry.bytes <= subject.bytes

const digestOf = (subject: Subject) =>
  hash('sha256', `${subject.project_id} ${headOf(subject)} ${moreOf(subject)}`).slice(0, 16)

/** The rest of the budget of a step. */
export interface Budget {
  isSpent(): boolean
  /** Records that this many words will be written. */
  spend(words: number): void
}

/** Indexes the passages in the plan of an entry until the budget is spent, but at least one new passage. */
export async function renew(tx: Tx, entry: IndexEntry, subject: Subject | undefined, budget: Budget): Promise<Renewal> {
  const { drops, edges, grown } = planOf(entry, subject)
  if (!subject) return { id: entry.id, entry: undefined, isDone: true, drops, words: [] }
  const words: PassageWords[] = []
  let bytes = isAsItWas(entry, subject) ? entry.bytes : 0
  const passages = [...edges, ...grown]
  for (const [index, passage] of passages.entries()) {
    const rowid = rowOf(entry.id, passage)
    const tokens = tokensOf(entry.type, subject, passage, await textOf(tx, subject, passage))
    if (entry.head !== null) drops.push({ from: rowid, to: rowid })
    words.push({ rowid, words: tokens })
    budget.spend(tokens.length)
    if (index < edges.length) continue
    bytes = Math.max(bytes, Math.min(subject.bytes, knownAfter(passage)))
    // The second-to-last passage can end so close to the end of the text that the next step would start with it again.
    const isFurther = passageAt(growsFrom(bytes)) > passage
    if (isFurther && index < passages.length - 1 && budget.isSpent()) break
  }
  const isDone = words.length === passages.length
  return {
    id: entry.id,
    entry: {
      ...entry,
      head: digestOf(subject),
      document_id: subject.document_id,
      bytes: isDone ? subject.bytes : bytes,
      gap: subject.gap,
    },
    isDone,
    drops,
    words,
  }
}

/** The passages to index in order, and the dropped ones. */
function passagesOf(entry: Pick<IndexEntry, 'bytes' | 'gap'>, subject: Subject) {
  const { bytes, gap, gap_start } = subject
  const gapEnd = gap_start + gap
  // The first passage finds a subject by its title, even if its text is gone.
  const isGone = (passage: number) =>
    passage > 0 && gap > 0 && passage * passageBytes >= gap_start && (passage + 1) * passageBytes <= gapEnd
  const isThere = (passage: number) => !isGone(passage)
  const last = passageAt(Math.max(0, bytes - 1))
  const first = Math.min(last, passageAt(growsFrom(entry.bytes)))
  const grown = range(first, last).filter(isThere)
  if (gap === entry.gap) return { edges: [], grown, dropped: [] }
  const ends = [passageAt(Math.max(0, gap_start - 1)), passageAt(gapEnd)].filter((passage) => passage < first)
  const dropped = range(passageAt(gap_start), passageAt(gapEnd)).filter(isGone).slice(-slots)
  return { edges: [...new Set(ends)].filter(isThere), grown, dropped }
}

const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from + 1) }, (_, n) => from + n)

function tokensOf(type: SearchType, subject: Subject, passage: number, text: string): string[] {
  const { head, all } = wordsOfPassage(subject, text)
  return [
    projectToken(subject.project_id),
    kindToken(type),
    ...(passage === 0 ? [firstToken] : []),
    ...[...head].map((word) => wordToken('h', word)),
    ...[...all].map((word) => wordToken('w', word)),
  ]
}

/** The words of a subject's head, and all words that find a passage with this text. */
export function wordsOfPassage(subject: Subject, text: string): { head: Set<string>; all: Set<string> } {
  const head = wordsOf(headOf(subject))
  return { head, all: head.union(wordsOf(`${text}\n${moreOf(subject)}`)) }
}

/** The text of a passage: of a diff, the lines that its turn wrote or removed. */
export async function textOf(db: Tx, subject: Subject, passage: number): Promise<string> {
  const { type, document_id, text } = subject
  if (document_id === null) return ''
  const { from, to } = reachOf(passage)
  const all = text ?? passageText(passage, await readBytes(db, document_id, from, to))
  return type === 'diff' ? changedLines(all, passage > 0) : all
}

/** The changed lines of a part of a diff, without their signs. A part may begin within a line, whose sign is before it. */
const changedLines = (text: string, isBegun: boolean): string =>
  text
    .split('\n')
    .flatMap((line, at) => (at === 0 && isBegun ? [line] : /^[+-]/.test(line) ? [line.slice(1)] : []))
    .join('\n')
