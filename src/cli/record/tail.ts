import { markerOf } from '../../ledger/content.ts'
import { newestOf } from './line.ts'

/** The newest of a text that grows. */
export interface Tail {
  put(text: string): void
  /** After a line that says how much was dropped before it, where that is so. */
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
