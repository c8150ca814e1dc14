import type { RefObject } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'

/** The height of a line, as in `--line-height` of the style sheet. */
export const linePx = 20
/** Extra lines to draw beyond the visible ones, so that scrolling shows no gaps. */
const spare = 30

/** The range of lines to draw of `count` lines in the scrolling box. `last` is exclusive. */
export function useLineWindow(box: RefObject<HTMLElement | null>, count: number): { first: number; last: number } {
  const [range, setRange] = useState({ first: 0, last: 80 })
  useLayoutEffect(() => {
    const element = box.current
    if (!element) return
    const measure = () => {
      const first = Math.max(0, Math.floor(element.scrollTop / linePx) - spare)
      const last = Math.ceil((element.scrollTop + element.clientHeight) / linePx) + spare
      // Changes in steps, so that not every pixel of scrolling draws again.
      setRange((before) => (isNear(before.first, first) && isNear(before.last, last) ? before : { first, last }))
    }
    measure()
    const size = new ResizeObserver(measure)
    size.observe(element)
    element.addEventListener('scroll', measure, { passive: true })
    return () => {
      size.disconnect()
      element.removeEventListener('scroll', measure)
    }
  }, [])
  const last = Math.min(range.last, count)
  return { first: Math.min(range.first, last), last }
}

const isNear = (a: number, b: number) => Math.abs(a - b) < spare / 3

const isAtEnd = ({ scrollHeight, scrollTop, clientHeight }: HTMLElement) =>
  scrollHeight - scrollTop - clientHeight < linePx

export const toEnd = (box: HTMLElement | null) => box?.scrollTo({ top: box.scrollHeight })

/** What may lie above the box in the window: its bar, in two lines. */
const barPx = 90

/** Scrolls a row to the middle of the box, and if that is not well within the window, to the middle of the window. */
export function toRow(box: HTMLElement | null, row: number): void {
  if (!box) return
  box.scrollTo({ top: row * linePx - box.clientHeight / 2 })
  const top = box.getBoundingClientRect().top + row * linePx - box.scrollTop
  if (top < barPx || top > innerHeight * 0.75) scrollBy({ top: top - innerHeight / 2 })
}

interface Following {
  isFollowing: boolean
  setFollowing(isFollowing: boolean): void
  /** Call it when the box was scrolled. */
  onScroll(): void
}

/** Keeps the end of a growing log of `count` lines in sight until the person pauses it or scrolls up, and again once they scroll back to the end. */
export function useFollowing(box: RefObject<HTMLElement | null>, isAtFirst: boolean, count: number): Following {
  const [isFollowing, setFollowing] = useState(isAtFirst)
  /** Where the page itself scrolled to. The browser reports that a frame later, when the person may have paused the log. */
  const own = useRef<number>(undefined)
  useLayoutEffect(() => {
    if (!isFollowing) return
    toEnd(box.current)
    own.current = box.current?.scrollTop
  }, [isFollowing, count])
  const onScroll = () => {
    if (!box.current || box.current.scrollTop === own.current) return
    own.current = undefined
    setFollowing(isAtEnd(box.current))
  }
  return { isFollowing, setFollowing, onScroll }
}
