import type { Page } from 'playwright-core'

/** A script for every document that notes each frame of more than 50 ms (w3.org/TR/long-animation-frames). */
export const notingFrames = `
  globalThis.slowFrames = []
  new PerformanceObserver((list) => {
    for (const { startTime, duration, scripts } of list.getEntries()) {
      const worst = scripts.toSorted((a, b) => b.duration - a.duration)[0]
      slowFrames.push({ at: startTime, ms: duration, by: worst ? worst.invoker + ' ' + Math.round(worst.duration) + ' ms' : 'no script' })
    }
  }).observe({ type: 'long-animation-frame' })`

interface SlowFrame {
  /** When it began, in milliseconds since the page was opened. */
  at: number
  ms: number
  /** The script that took most of it. */
  by: string
}

/** The frames of more than 50 ms since the document was opened, or since this was called before. */
export const slowFramesOf = (page: Page): Promise<SlowFrame[]> => page.evaluate('slowFrames.splice(0)')
