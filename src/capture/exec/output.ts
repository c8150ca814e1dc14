import { setTimeout as sleep } from 'node:timers/promises'
import { mask } from '../../mask/mask.ts'
import type { Gap } from '../../text/content.ts'
import type { Stream } from './child.ts'
import { createBacklog, createLine } from './lines.ts'

interface OutputOptions {
  /** Whether too much is unsent to put more. Further output stays here, up to a limit. */
  isFull(): boolean
  /** Receives masked text, and what was dropped before it. If it throws, both are put again later. */
  put(text: string, gap: Gap | undefined): void
  /** The most characters to hold while more is unsent; at least, and by default, `mostLength`. */
  most?: number
}

/** The output of a command on its way to the ledger. */
export interface CommandOutput {
  /** Returns a promise while the beginning of the output comes too fast. What comes before it settles may be dropped. */
  write(stream: Stream, chunk: Uint8Array): Promise<void> | undefined
  /** Puts the rest. Throws the errors of `put`. */
  end(): Promise<void>
}

/** How often to put text, in milliseconds, and after how many characters at the latest. */
const everyMs = 500
const batchLength = 65_536
/** The most characters of complete lines to hold, and of each unfinished line. */
const mostLength = 1_048_576

/**
 * Collects the output of a command into batches of complete lines and masks them. No secret crosses a border: a private
 * key is held back until its end, and an unfinished line is cut only outside secrets.
 */
export function createOutput({ isFull, put, most = mostLength }: OutputOptions): CommandOutput {
  const heldLength = Math.max(most, mostLength)
  const backlog = createBacklog(heldLength, batchLength)
  const lines = { stdout: createLine(backlog, heldLength), stderr: createLine(backlog, heldLength) }
  const bothLines = Object.values(lines)
  let flushing = Promise.resolve()
  let seen = 0
  let isEnding = false
  const alarm = createAlarm(flushSoon)
  const putOldest = () => backlog.putOldest(async (text, gap) => put(await mask(text), gap))

  function flushSoon() {
    // A failed flush is retried.
    flushing = flushing.then(flush).catch(() => {})
    return flushing
  }

  /** Masks some text. Half of the time is left to read on, since the command would wait for a masking without pause. */
  async function masking(work: () => Promise<void>) {
    const from = performance.now()
    await work()
    if (seen > heldLength && !isEnding) await sleep(performance.now() - from)
  }

  async function flush() {
    try {
      for (const line of bothLines) if (line.isLong() && !isFull()) await masking(line.cut)
      while (backlog.length() > 0 && !isFull()) await masking(putOldest)
    } finally {
      if (backlog.length() > 0 || bothLines.some((line) => line.isLong())) alarm.set(everyMs)
    }
  }

  return {
    write(stream, chunk) {
      const line = lines[stream]
      line.write(chunk)
      seen += chunk.length
      const isDue = backlog.length() >= batchLength || line.isLong()
      // A fast command fills the backlog before the rules for masking are loaded. Its beginning must not be dropped.
      if (isDue && seen <= heldLength) return flushSoon()
      alarm.set(isDue ? 0 : everyMs)
      return undefined
    },
    async end() {
      isEnding = true
      alarm.stop()
      await flushing
      for (const line of bothLines) line.end()
      while (backlog.length() > 0) await putOldest()
    },
  }
}

/** Fires once, after the shortest of the times it was set to. Once stopped, it cannot be set any more. */
function createAlarm(ring: () => void) {
  let timer: NodeJS.Timeout | undefined
  let dueMs = Number.POSITIVE_INFINITY
  return {
    set(ms: number) {
      if (ms >= dueMs) return
      clearTimeout(timer)
      dueMs = ms
      timer = setTimeout(() => {
        dueMs = Number.POSITIVE_INFINITY
        ring()
      }, ms)
    },
    stop() {
      clearTimeout(timer)
      dueMs = Number.NEGATIVE_INFINITY
    },
  }
}
