/** How fast the clock goes while it waits for a source that was set back. */
const slowed = 0.9

export interface ClockOptions {
  /** The time as its source has it now, in Unix milliseconds; it may jump. */
  wall?: () => number
  /** Milliseconds that pass evenly, whatever is done to the time of day. */
  monotonic?: () => number
  /** The time that it begins with, if its source is behind. */
  floor?: number
}

/**
 * A clock in Unix milliseconds that never runs backwards. It follows its source forwards at once; where the source was
 * set back, it goes on a tenth slower until that has caught up.
 */
export function createClock({
  wall = Date.now,
  monotonic = () => performance.now(),
  floor = 0,
}: ClockOptions = {}): () => number {
  let last = floor
  let lastAt = monotonic()
  return () => {
    const at = monotonic()
    last = Math.max(wall(), last + (at - lastAt) * slowed)
    lastAt = at
    return Math.floor(last)
  }
}
