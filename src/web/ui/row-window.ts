import type { RefObject } from 'preact'
import { useEffect, useState } from 'preact/hooks'

/** The height of a row, as in `--row` of the style sheet. */
export const rowPx = 44
/** Extra rows to draw beyond the visible ones, so that scrolling shows no gaps. */
const spare = 15

/** The range of rows to draw of `count` rows in that body; all of them on paper. `last` is exclusive. */
export function useRowWindow(body: RefObject<HTMLElement | null>, count: number): { first: number; last: number } {
  const [range, setRange] = useState({ first: 0, last: 60 })
  useEffect(() => {
    let frame = 0
    const measure = () => {
      frame = 0
      const top = body.current?.getBoundingClientRect().top ?? 0
      const first = Math.max(0, Math.floor(-top / rowPx) - spare)
      const last = Math.ceil((innerHeight - top) / rowPx) + spare
      // Changes in steps, so that not every pixel of scrolling draws again.
      setRange((before) => (near(before.first, first) && near(before.last, last) ? before : { first, last }))
    }
    const soon = () => {
      frame ||= requestAnimationFrame(measure)
    }
    const all = () => setRange({ first: 0, last: Number.MAX_SAFE_INTEGER })
    measure()
    addEventListener('scroll', soon, { passive: true })
    addEventListener('resize', soon)
    addEventListener('beforeprint', all)
    addEventListener('afterprint', soon)
    return () => {
      cancelAnimationFrame(frame)
      removeEventListener('scroll', soon)
      removeEventListener('resize', soon)
      removeEventListener('beforeprint', all)
      removeEventListener('afterprint', soon)
    }
  }, [])
  const last = Math.min(range.last, count)
  return { first: Math.min(range.first, last), last }
}

const near = (a: number, b: number) => Math.abs(a - b) < spare / 3
