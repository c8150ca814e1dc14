import { driftMs } from '../engine/drift.ts'
import { type ClockOptions, doubtMs, spanOf, timeText, wordsOfLeap } from './clock.ts'

/** A pause in the log that is longer, in milliseconds, may be a clock that leapt forward. */
const pauseMs = 14 * 86_400_000

/** The times of the newest events of a log, the newest first, and that of its first event; in Unix milliseconds. */
export interface LogTimes {
  newest: readonly number[]
  first: number | undefined
}

/**
 * How the clock of a ledger starts at `wall`. It continues from the newest event, even if that is far ahead: then `wall`
 * is behind. But if only events from within an hour are ahead, a clock was wrong for a moment, and the ledger does not
 * follow them.
 */
export function startOf({ newest, first }: LogTimes, wall: number): Pick<ClockOptions, 'floor' | 'doubt'> {
  const right = newest.findIndex((time) => time <= wall + driftMs)
  const ahead = right >= 0 ? newest.slice(0, right) : newest
  const [last] = ahead
  if (last === undefined) return { floor: newest[0] ?? 0, doubt: leapBefore(newest, wall) }
  const isWhole = first !== undefined && first > wall + driftMs
  if (isWhole || Math.max(...ahead) - Math.min(...ahead) > driftMs) return { floor: last }
  const words = `The newest events are of ${timeText(last)}, ${spanOf(last - wall)} ahead of the clock. Check the clock. New entries have its time. Nothing is removed for its age for an hour.`
  return { floor: newest[right] ?? 0, doubt: { words, ms: driftMs } }
}

/** Whether the time has lately leapt forward: between two of these events, or since the last one. */
function leapBefore(newest: readonly number[], wall: number): ClockOptions['doubt'] {
  let latest = Number.POSITIVE_INFINITY
  let doubt: ClockOptions['doubt']
  const times = [...newest].reverse().filter((time) => time <= wall + driftMs)
  for (const time of [...times, wall]) {
    const ms = time - latest
    const until = time + doubtMs(ms)
    if (ms > pauseMs && until > wall) doubt = { words: wordsOfLeap(ms, time, until), ms: until - wall }
    latest = latest === Number.POSITIVE_INFINITY ? time : Math.max(latest, time)
  }
  return doubt
}
