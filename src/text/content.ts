import { boundary } from '../contract/text.ts'

/** Splits `text` into pieces of at most `most` bytes (4 or more). Does not split characters. */
export function pieces(text: string, most: number): string[] {
  const bytes = Buffer.from(text)
  const found: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = boundary(bytes, at + most, -1)
    found.push(bytes.toString('utf8', at, end))
    at = end
  }
  return found
}

/** What is missing from a content at one place. `lines` counts the missing line feeds; null if nobody counted them. */
export interface Gap {
  bytes: number
  lines: number | null
}

/** The size of a missing text. */
export const gapOf = (text: string): Gap => ({ bytes: Buffer.byteLength(text), lines: linesIn(text) })

export const joined = (one: Gap, other: Gap): Gap => ({
  bytes: one.bytes + other.bytes,
  lines: one.lines === null || other.lines === null ? null : one.lines + other.lines,
})

/** The line that stands for a gap in a content, and in which the ledger stores it. */
export const markerOf = ({ bytes, lines }: Gap) =>
  `\n[${numberOf(bytes)} bytes dropped here${lines === null ? '' : `: ${numberOf(lines)} ${lines === 1 ? 'line' : 'lines'}`}]\n`

const numberOf = (count: number) => count.toLocaleString('en')
const marker = /^\n\[([\d,]+) bytes dropped here(?:: ([\d,]+) lines?)?\]\n$/

/** The gap for which a line of the ledger stands; undefined for any other text. */
export function readMarker(text: string): Gap | undefined {
  const [, bytes, lines] = marker.exec(text) ?? []
  const countOf = (digits: string) => Number(digits.replaceAll(',', ''))
  return bytes === undefined ? undefined : { bytes: countOf(bytes), lines: lines === undefined ? null : countOf(lines) }
}

function linesIn(text: string): number {
  let lines = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines++
  return lines
}

/** A stored piece of a content, at a position among all bytes ever written. */
export interface StoredPiece {
  start: number
  text: string
  /** For the line that stands for a gap: how many positions it covers. 0 for text. */
  dropped: number
}

/** How much of the beginning of an oversized content is kept, in bytes. */
const headBytes = 131_072
/** How far to look for the beginning of a line, in bytes. */
const lineBytes = 4096
const lineFeed = 10

/** A middle to drop: the positions from `from` on, before `to`, and what is then missing there. */
interface Cut {
  from: number
  to: number
  gap: Gap
}

/**
 * Where to cut a content of `size` positions that has outgrown `limit` bytes, so that its beginning and its newest part
 * stay. Gaps in between become part of the cut. An eighth of the limit stays free, so that not every append cuts again.
 */
export function cutOf(parts: StoredPiece[], size: number, limit: number): Cut {
  const kept = Math.min(headBytes, limit >> 3)
  const reach = Math.min(lineBytes, limit >> 5)
  const from = placeNear(parts, kept, -1, reach)
  const to = placeNear(parts, size - (limit - from - (limit >> 3)), 1, reach)
  let gap: Gap = { bytes: 0, lines: 0 }
  for (const part of parts) {
    const { start, text, dropped } = part
    const bytes = Buffer.from(text)
    if (start >= to || start + (dropped || bytes.length) <= from) continue
    gap = joined(
      gap,
      dropped > 0 ? missingAt(part) : gapOf(bytes.toString('utf8', Math.max(0, from - start), to - start)),
    )
  }
  return { from, to, gap }
}

/** What is missing where a part stands for a gap. An erased content has a line of its own. */
export const missingAt = ({ text, dropped }: StoredPiece): Gap => readMarker(text) ?? { bytes: dropped, lines: null }

/**
 * The nearest place to cut: where a line begins within `reach` bytes, else between two characters, and never within a
 * gap.
 */
function placeNear(parts: StoredPiece[], at: number, direction: -1 | 1, reach: number): number {
  const part = parts.findLast(({ start }) => (direction < 0 ? start < at : start <= at))
  if (!part) return at
  const { start, text, dropped } = part
  if (dropped > 0) return direction < 0 ? start : Math.max(at, start + dropped)
  const place = start + boundary(Buffer.from(text), at - start, direction)
  return lineNear(parts, place, direction, reach) ?? place
}

/** The nearest beginning of a line within `reach` bytes of a place, in one direction and before any gap. */
function lineNear(parts: StoredPiece[], place: number, direction: -1 | 1, reach: number): number | undefined {
  const near = parts.filter(({ start, text, dropped }) => {
    const end = start + (dropped || Buffer.byteLength(text))
    return direction < 0 ? start < place && end >= place - reach : end >= place && start <= place + reach
  })
  for (const { start, text, dropped } of direction < 0 ? near.toReversed() : near) {
    if (dropped > 0) return undefined
    const bytes = Buffer.from(text)
    const at = Math.max(0, place - start)
    const feed =
      direction < 0 ? bytes.subarray(0, at).lastIndexOf(lineFeed) : bytes.indexOf(lineFeed, Math.max(0, at - 1))
    const line = start + feed + 1
    if (feed >= 0) return Math.abs(line - place) <= reach ? line : undefined
  }
  return undefined
}
