import { diffWordsWithSpace } from 'diff'
import { type DiffLine, linesOf, type PatchRow, splitRows } from './patch.ts'

/** A part of a line, from one character to before another. */
export type WordSpan = [from: number, to: number]

/** Longer lines are marked as a whole: comparing their words would take too long. */
const longest = 400
/** Lines with less in common than this share of their characters are different lines. */
const leastCommon = 0.3

/** The words that changed in each line that replaces another. */
export function wordsOf(rows: PatchRow[]): Map<DiffLine, WordSpan[]> {
  const words = new Map<DiffLine, WordSpan[]>()
  for (const { left, right } of splitRows(linesOf(rows))) {
    if (!left || !right || left === right) continue
    const spans = changedWords(left.text, right.text)
    if (!spans) continue
    words.set(left, spans.left)
    words.set(right, spans.right)
  }
  return words
}

function changedWords(before: string, after: string): { left: WordSpan[]; right: WordSpan[] } | undefined {
  if (before.length > longest || after.length > longest) return undefined
  const [left, right]: [WordSpan[], WordSpan[]] = [[], []]
  let [leftAt, rightAt, common] = [0, 0, 0]
  for (const { value, added, removed } of diffWordsWithSpace(before, after)) {
    const { length } = value
    if (!added && !removed) common += value.trim().length
    if (removed) left.push([leftAt, leftAt + length])
    if (added) right.push([rightAt, rightAt + length])
    if (!added) leftAt += length
    if (!removed) rightAt += length
  }
  if (common < leastCommon * Math.max(before.trim().length, after.trim().length)) return undefined
  return { left, right }
}
