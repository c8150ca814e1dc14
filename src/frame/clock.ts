import { driftMs } from '../engine/drift.ts'
import { sinceBoot } from '../system/places.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** After a leap or a pause, the time is steady again after this long, in milliseconds. */
const steadyMs = 60_000
/** A longer time between two readings, in milliseconds, is a pause: the machine slept, or the process stood still. */
const pausedMs = 30_000
/** The speed of the clock while its source lags behind it. */
const slowed = 0.9

export interface ClockOptions {
  /** The source's current time in Unix milliseconds. It may jump. */
  wall?: () => number
  /** Milliseconds that pass evenly, whatever happens to the time of day. */
  monotonic?: () => number
  /** The same, but including the time in which the machine slept. */
  uptime?: () => number
  /** The time to start with, if the source is behind it. */
  floor?: number
  /** Why the source may be wrong at the start, and for how many milliseconds to doubt it. */
  doubt?: { words: string; ms: number } | undefined
  /** The leap that another clock of the same source has seen. */
  leap?: Leap | undefined
}

/** A leap of the source forward, which may be wrong. Its times are those of the source, in Unix milliseconds. */
export interface Leap {
  words: string
  at: number
  /** When the source is trusted again. */
  until: number
  /** How far the source is ahead of what it was before, in milliseconds. */
  aheadMs: number
}

export interface Clock {
  /** The current time in Unix milliseconds. */
  now(): number
  /** Why the time may be wrong, in words for the operator; undefined if nothing suggests that. */
  doubt(): string | undefined
  /** The leap that the clock doubts. */
  leap(): Leap | undefined
  /** Whether the time has run evenly for a minute. */
  isSteady(): boolean
}

/** How long to doubt a source that leapt forward by `ms`: a 24th of it, at least an hour and at most 30 days. */
const doubtMs = (ms: number) => Math.min(Math.max(ms / 24, hourMs), 30 * dayMs)

/**
 * A clock that follows its source forwards at once, and evens out a source that is up to an hour behind by running a
 * tenth slower. It ignores one that is further behind until that has run evenly for an hour, or has returned to where it
 * was before it leapt. While it doubts its source, nothing may be removed because of its age.
 */
export function createClock(options: ClockOptions = {}): Clock {
  const { wall = Date.now, monotonic = () => performance.now(), uptime = sinceBoot, floor = 0 } = options
  let lastAt = monotonic()
  let last = Math.max(floor, wall())
  let asleepMs = uptime() - lastAt
  let doubted = options.doubt && { words: options.doubt.words, until: lastAt + options.doubt.ms }
  /** The source minus the monotonic time, before it leapt. */
  let trusted: number | undefined
  /** The time of the source after it leapt. */
  let leaptTo = last
  /** When the source leapt, or nobody read it for a while. */
  let unevenAt = Number.NEGATIVE_INFINITY
  /** Since when the source has been far behind, and its time then. */
  let behind: { at: number; source: number } | undefined
  let readAt = wall()
  if (options.leap) resume(options.leap, wall())

  /** Doubts a leap that was seen before, unless the source has been corrected or is trusted since then. */
  function resume({ words, at, until, aheadMs }: Leap, source: number): void {
    if (source < at - driftMs || source >= until) return
    leaptTo = at
    trusted = source - aheadMs - lastAt
    doubted = { words, until: lastAt + until - source }
  }

  /** How long the machine slept since the last call of this, in milliseconds. */
  function slept(at: number): number {
    const before = asleepMs
    asleepMs = uptime() - at
    return asleepMs - before
  }

  function leapt(source: number, expected: number, at: number): void {
    const asleep = slept(at)
    const ms = source - expected - asleep
    unevenAt = at
    if (ms > driftMs) {
      trusted ??= expected + asleep - at
      leaptTo = source
      const until = source + doubtMs(ms)
      doubted = { words: wordsOfLeap(ms, source, until), until: at + doubtMs(ms) }
    }
    last = source
  }

  function wentBack(source: number, passed: number, at: number): void {
    unevenAt = at
    if (trusted !== undefined && Math.abs(source - trusted - at) <= driftMs) {
      trusted = doubted = behind = undefined
      last = source
      return
    }
    if (!behind || Math.abs(source - behind.source - (at - behind.at)) > driftMs) behind = { at, source }
    if (at - behind.at < driftMs) {
      last += passed * slowed
      return
    }
    const ms = last + passed - source
    const words = `The clock was set back by ${spanOf(ms)}, and the ledger has followed it. Until ${timeText(source + hourMs)}, Conduct removes no old data.`
    doubted = { words, until: at + hourMs }
    trusted = behind = undefined
    last = source
  }

  function now(): number {
    const at = monotonic()
    const passed = at - lastAt
    const source = wall()
    lastAt = at
    if (source - readAt > pausedMs) unevenAt = at
    readAt = source
    if (doubted && at >= doubted.until) trusted = doubted = undefined
    const expected = last + passed
    if (source < expected - driftMs) wentBack(source, passed, at)
    else {
      behind = undefined
      if (source > expected + driftMs) leapt(source, expected, at)
      else {
        if (source > expected + pausedMs) slept(at)
        last = Math.max(source, last + passed * slowed)
      }
    }
    return Math.floor(last)
  }

  return {
    now,
    leap() {
      const time = now()
      if (!doubted || trusted === undefined) return undefined
      const { words, until } = doubted
      return { words, at: leaptTo, until: time + until - lastAt, aheadMs: time - trusted - lastAt }
    },
    isSteady: () => now() > 0 && lastAt - unevenAt >= steadyMs,
    doubt() {
      const time = now()
      return behind ? wordsOfLag(time, wall(), driftMs - (lastAt - behind.at)) : doubted?.words
    },
  }
}

/** `400 days`, `3 hours`, `2 minutes`. */
function spanOf(ms: number): string {
  const [size, unit] = ms >= 2 * dayMs ? [dayMs, 'day'] : ms >= hourMs ? [hourMs, 'hour'] : [60_000, 'minute']
  const count = Math.max(1, Math.round(ms / Number(size)))
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

const timeText = (time: number) => `${new Date(time).toISOString().slice(0, 16)}Z`

const wordsOfLeap = (ms: number, to: number, until: number) =>
  `The clock leapt forward by ${spanOf(ms)}, to ${timeText(to)}. If that is wrong, correct it. Until ${timeText(until)}, Conduct removes no old data.`

const wordsOfLag = (time: number, source: number, leftMs: number) =>
  `The clock says ${timeText(source)}, ${spanOf(time - source)} behind the ledger. Correct it. Otherwise the ledger follows it in ${spanOf(leftMs)}. Until then, Conduct removes no old data.`

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
  const words = `The newest events are from ${timeText(last)}, ${spanOf(last - wall)} ahead of the clock. Check the clock. New entries get its time. For an hour, Conduct removes no old data.`
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
