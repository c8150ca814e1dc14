/** The speed of the clock while its source lags behind it. */
const slowed = 0.9

export interface ClockOptions {
  /** The source's current time in Unix milliseconds. It may jump. */
  wall?: () => number
  /** Milliseconds that pass evenly, whatever happens to the time of day. */
  monotonic?: () => number
  /** The time to start with, if the source is behind it. */
  floor?: number
}

/**
 * A clock in Unix milliseconds that never goes backwards. It follows its source forwards at once. If the source is set
 * back, the clock runs a tenth slower until the source has caught up.
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
