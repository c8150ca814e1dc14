import { markerOf } from '../../ledger/content.ts'
import { newestOf } from './line.ts'

/** The end of a growing text. */
export interface Tail {
  put(text: string): void
  /** The text, after a line that says how much was dropped before it, if any. */
  text(): string
}

/** Keeps the newest `most` characters. */
export function createTail(most: number): Tail {
  let newest = ''
  let dropped = 0
  return {
    put(text) {
      const kept = newestOf(newest + text, most)
      newest = kept.newest
      dropped += kept.bytes
    },
    text: () => (dropped > 0 ? markerOf(dropped).trimStart() : '') + newest,
  }
}
