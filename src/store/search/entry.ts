import { hash } from 'node:crypto'
import type { SearchType } from '../../api/search.ts'
import { growsFrom, passageAt, passageBytes, passageText, reachOf, slotOf, slots } from '../../ledger/passage.ts'
import { wordsOf } from '../../ledger/words.ts'
import { readBytes } from '../document.ts'
import type { Tx } from '../engine/db.ts'
import type { Subject } from './subject.ts'

/** A subject in the index. Entries have the order in which their subjects came, and keep it. */
export interface Entry {
  id: number
  type: SearchType
  subject_id: number
  /** What is indexed of it: null before it is. */
  document_id: number | null
  head: string | null
  bytes: number
  gap: number
}

/** Words of one passage, to be written under `rowid`. */
export interface Words {
  rowid: number
  words: string[]
}

/** What an entry becomes, and what of the index goes and comes. */
export interface Renewal {
  /** Undefined where the subject is gone. */
  entry: Entry | undefined
  isDone: boolean
  drops: { from: number; to: number }[]
  words: Words[]
}

/** The rows of an entry in the index of words: one for each passage. */
export const rowOf = (entry: number, passage: number) => entry * slots + slotOf(passage)
export const entryOf = (rowid: number) => Math.floor(rowid / slots)

/**
 * Every word is indexed under a letter that says where it stands: `h` in the head (id, title), `w` anywhere; `p` is the
 * project, `k` the kind, and `f` marks the first passage of a text.
 */
export const wordToken = (place: 'h' | 'w', word: string) => place + word
export const projectToken = (id: number) => `p${id}`
export const kindToken = (type: SearchType) => `k${type}`
export const firstToken = 'f'

export const headOf = ({ subject, title }: Subject) => `${subject} ${title ?? ''}`

/**
 * Indexes of an entry what is new, until `isLate`: passages that a longer text adds to, those at the edges of a gap that
 * moved, or all where the head or the document is another. What is left is done the next time.
 */
export async function renew(
  tx: Tx,
  entry: Entry,
  subject: Subject | undefined,
  isLate: () => boolean,
): Promise<Renewal> {
  const all = { from: rowOf(entry.id, 0), to: entry.id * slots + slots - 1 }
  if (!subject) return { entry: undefined, isDone: true, drops: [all], words: [] }
  const head = hash('sha256', `${subject.project_id} ${headOf(subject)} ${subject.more}`).slice(0, 16)
  const goesOn = entry.head === head && entry.document_id === subject.document_id && entry.bytes <= subject.bytes
  const drops = goesOn || entry.head === null ? [] : [all]
  const known = goesOn ? entry : { ...entry, bytes: 0, gap: 0 }
  const { passages, dropped } = passagesOf(known, subject)
  for (const passage of dropped) drops.push({ from: rowOf(entry.id, passage), to: rowOf(entry.id, passage) })
  const words: Words[] = []
  let { bytes } = known
  let isDone = true
  // The first passage of what has grown may be the last of the step before, and both edges of a gap are done in one step.
  const least = subject.gap === known.gap ? 2 : 4
  for (const passage of passages) {
    if (words.length >= least && isLate()) {
      isDone = false
      break
    }
    const rowid = rowOf(entry.id, passage)
    drops.push({ from: rowid, to: rowid })
    words.push({ rowid, words: await tokensOf(tx, entry.type, subject, passage) })
    bytes = Math.max(bytes, Math.min(subject.bytes, (passage + 1) * passageBytes))
  }
  const { document_id, gap } = subject
  return { entry: { ...entry, head, document_id, bytes, gap }, isDone, drops, words }
}

/** The passages to index, in order, and those that are gone. */
function passagesOf(entry: Pick<Entry, 'head' | 'bytes' | 'gap'>, subject: Subject) {
  const { bytes, gap, gap_start } = subject
  const gapEnd = gap_start + gap
  const isGone = (passage: number) =>
    gap > 0 && passage * passageBytes >= gap_start && (passage + 1) * passageBytes <= gapEnd
  const last = passageAt(Math.max(0, bytes - 1))
  const first = Math.min(last, passageAt(growsFrom(entry.bytes)))
  const grown = range(first, last)
  if (gap === entry.gap) return { passages: grown.filter((passage) => !isGone(passage)), dropped: [] }
  const edges = [passageAt(Math.max(0, gap_start - 1)), passageAt(gapEnd)].filter((passage) => passage < first)
  const newlyGone = range(passageAt(gap_start), passageAt(gapEnd)).filter(isGone)
  const passages = [...new Set([...edges, ...grown])].filter((passage) => !isGone(passage))
  return { passages, dropped: newlyGone.slice(-slots) }
}

const range = (from: number, to: number) => Array.from({ length: Math.max(0, to - from + 1) }, (_, n) => from + n)

async function tokensOf(tx: Tx, type: SearchType, subject: Subject, passage: number): Promise<string[]> {
  const head = wordsOf(headOf(subject))
  const body = wordsOf(`${await textOf(tx, subject, passage)}\n${subject.more}`)
  return [
    projectToken(subject.project_id),
    kindToken(type),
    ...(passage === 0 ? [firstToken] : []),
    ...[...head].map((word) => wordToken('h', word)),
    ...[...head.union(body)].map((word) => wordToken('w', word)),
  ]
}

/** The text of a passage of a subject. */
export async function textOf(db: Tx, { document_id, text }: Subject, passage: number): Promise<string> {
  if (document_id === null) return ''
  if (text !== null) return text
  const { from, to } = reachOf(passage)
  return passageText(passage, await readBytes(db, document_id, from, to))
}
