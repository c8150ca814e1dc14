import { type Gap, gapOf, joined, markerOf } from '../../text/content.ts'
import { newestOf } from './line.ts'

/** The end of a growing text. */
export interface Tail {
  /** Adds text, before which there may be a gap. */
  put(text: string, gap?: Gap): void
  /** The text, after a line that says how much was dropped before it, if any. */
  text(): string
}

/** Keeps the newest `most` characters after the last gap. */
export function createTail(most: number): Tail {
  let newest = ''
  let dropped: Gap = { bytes: 0, lines: 0 }
  return {
    put(text, gap) {
      if (gap) {
        dropped = joined(joined(dropped, gapOf(newest)), gap)
        newest = ''
      }
      const kept = newestOf(newest + text, most)
      newest = kept.newest
      dropped = joined(dropped, kept.gap)
    },
    text: () => (dropped.bytes > 0 ? markerOf(dropped).trimStart() : '') + newest,
  }
}
