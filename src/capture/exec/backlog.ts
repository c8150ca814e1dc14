import { type Gap, gapOf, joined } from '../../text/content.ts'

/** Text waiting to be sent, in parts. If there is too much, the newest stays. */
export interface Backlog {
  /** The number of waiting characters. */
  length(): number
  /** Adds text. `before` was dropped before it could be added. */
  add(text: string, before?: Gap): void
  /** Passes on the oldest part and what was dropped before it, if anything. Keeps it if `put` throws. */
  putOldest(put: (part: string, gap: Gap | undefined) => Promise<void>): Promise<void>
}

interface Part {
  text: string
  /** What was dropped before it. */
  gap: Gap
}

const none: Gap = { bytes: 0, lines: 0 }

/**
 * A backlog in parts of about `partLength` characters. Once the oldest part leaves, all others follow it, and at most
 * `mostLength` characters wait behind them. So after each gap comes about as much text without one.
 */
export function createBacklog(mostLength: number, partLength: number): Backlog {
  let leaving: Part[] = []
  let waiting: Part[] = []
  let waitingLength = 0
  let leavingLength = 0

  function dropOldest() {
    const { text, gap } = waiting.shift() as Part
    const [next] = waiting as [Part]
    waitingLength -= text.length
    next.gap = joined(joined(gap, gapOf(text)), next.gap)
  }

  function leave() {
    leaving = waiting
    leavingLength = waitingLength
    waiting = []
    waitingLength = 0
  }

  return {
    length: () => leavingLength + waitingLength,
    add(text, before = none) {
      const last = waiting.at(-1)
      if (last && before.bytes === 0 && last.text.length < partLength) last.text += text
      else if (text !== '' || before.bytes > 0) waiting.push({ text, gap: before })
      waitingLength += text.length
      while (waitingLength > mostLength && waiting.length > 1) dropOldest()
    },
    async putOldest(put) {
      if (leaving.length === 0) leave()
      const part = leaving.shift()
      if (!part) return
      leavingLength -= part.text.length
      try {
        await put(part.text, part.gap.bytes > 0 ? part.gap : undefined)
      } catch (error) {
        leaving.unshift(part)
        leavingLength += part.text.length
        throw error
      }
    },
  }
}
