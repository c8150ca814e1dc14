import { mask } from '../../mask/mask.ts'
import { createBacklog } from './backlog.ts'
import type { Stream } from './child.ts'
import { createLine } from './line.ts'

export interface OutputOptions {
  /** Whether there is too much unsent for more to be put; what comes meanwhile is kept here, within a limit. */
  isFull(): boolean
  /** Takes masked text. Where it throws, the text is put again later. */
  put(text: string): void
}

/** What a command writes, on its way to the ledger. */
export interface Output {
  write(stream: Stream, chunk: Uint8Array): void
  /** Puts all that is left. Throws what `put` throws. */
  end(): Promise<void>
}

/** Text is put as often, in milliseconds, or as soon as there is so much. */
const everyMs = 500
const batchLength = 65_536
/** The most characters that wait here, of whole lines and of each line that has not ended. */
const mostLength = 1_048_576

/**
 * Gathers what a command writes into batches of whole lines, masked, so that no secret lies across a border: a private key
 * is held until its end, and a line without end is cut where nothing secret is.
 */
export function createOutput({ isFull, put }: OutputOptions): Output {
  const backlog = createBacklog(mostLength, batchLength)
  const lines = { stdout: createLine(backlog, mostLength), stderr: createLine(backlog, mostLength) }
  let flushing = Promise.resolve()
  const alarm = createAlarm(() => {
    // What failed is tried again.
    flushing = flushing.then(flush).catch(() => {})
  })
  const putOldest = () => backlog.putOldest(async (text, gap) => put(gap + (await mask(text))))

  async function flush() {
    try {
      for (const line of Object.values(lines)) if (line.isLong()) await line.cut()
      while (backlog.length() > 0 && !isFull()) await putOldest()
    } finally {
      if (backlog.length() > 0) alarm.set(everyMs)
    }
  }

  return {
    write(stream, chunk) {
      const line = lines[stream]
      line.write(chunk)
      alarm.set(backlog.length() >= batchLength || line.isLong() ? 0 : everyMs)
    },
    async end() {
      alarm.stop()
      await flushing
      for (const line of Object.values(lines)) line.end()
      while (backlog.length() > 0) await putOldest()
    },
  }
}

/** Rings once, after the shortest of the times that it was set to. */
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
    stop: () => clearTimeout(timer),
  }
}
