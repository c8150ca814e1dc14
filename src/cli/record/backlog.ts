import { markerOf } from '../../ledger/content.ts'

/** Text waiting to be sent, in parts. If there is too much, the newest stays. */
export interface Backlog {
  /** The number of waiting characters. */
  length(): number
  add(text: string): void
  /** Counts bytes that were dropped before they could be added. */
  addDropped(bytes: number): void
  /** Passes on the oldest part, after a line that says how much was dropped before it. Keeps it if `put` throws. */
  putOldest(put: (part: string, gap: string) => Promise<void>): Promise<void>
}

/** A backlog of at most `mostLength` characters, in parts of about `partLength`. */
export function createBacklog(mostLength: number, partLength: number): Backlog {
  const parts: string[] = []
  let length = 0
  let dropped = 0

  function dropOldest() {
    const oldest = parts.shift() ?? ''
    length -= oldest.length
    dropped += Buffer.byteLength(oldest)
  }

  return {
    length: () => length,
    add(text) {
      const last = parts.length - 1
      const part = parts[last]
      if (part !== undefined && part.length < partLength) parts[last] = part + text
      else if (text !== '') parts.push(text)
      length += text.length
      while (length > mostLength && parts.length > 1) dropOldest()
    },
    addDropped(bytes) {
      dropped += bytes
    },
    async putOldest(put) {
      const part = parts.shift() ?? ''
      const gap = dropped
      length -= part.length
      dropped = 0
      try {
        await put(part, gap > 0 ? markerOf(gap) : '')
      } catch (error) {
        parts.unshift(part)
        length += part.length
        dropped += gap
        throw error
      }
    },
  }
}
