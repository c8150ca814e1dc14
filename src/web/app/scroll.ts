import { useLayoutEffect, useRef } from 'preact/hooks'
import { ofTab } from '../data/browser/storage.ts'
import { base, type Route } from './router.ts'

/** Where this tab stores the scroll positions when it is reloaded. */
const place = `conduct.heights ${base}`

/** The scroll position of each history entry. The state of an entry is its number. */
const heights: number[] = readHeights()
addEventListener('pagehide', () => ofTab.set(place, JSON.stringify(heights)))

function readHeights(): number[] {
  const stored = ofTab.getJson(place)
  return Array.isArray(stored) ? stored.map(Number) : []
}

/** The id of the row that last had the focus, by the number of the history entry. */
const rows = new Map<number, number>()

export const keptRow = (): number | undefined => rows.get(stepNow() ?? -1)

/** Keeps a row for the way back to this history entry. */
export function keepRow(id: number): void {
  const step = stepNow()
  if (step !== undefined) rows.set(step, id)
}

const stepNow = (): number | undefined => {
  const state: unknown = history.state
  return typeof state === 'number' ? state : undefined
}

/**
 * Starts a new page at its top, and returns to the old position on the way back. A page stays where it is when its
 * filters change, which also makes an entry.
 */
export function useScroll({ path, query }: Route): void {
  const page = path.join('/')
  const last = useRef<string>(undefined)
  useLayoutEffect(() => {
    history.scrollRestoration = 'manual'
    const isOther = page !== last.current
    const step = stepNow() ?? heights.push(isOther ? 0 : scrollY) - 1
    history.replaceState(step, '')
    last.current = page
    const leave = isOther ? returnTo(heights[step] ?? 0) : () => {}
    const keep = () => {
      if (stepNow() === step) heights[step] = scrollY
    }
    addEventListener('scroll', keep, { passive: true })
    return () => {
      leave()
      removeEventListener('scroll', keep)
    }
  }, [page, query.toString()])
}

/** What a person does to scroll. */
const moves = ['wheel', 'pointerdown', 'keydown', 'touchstart']

/** Scrolls, and again whenever an element changes its size, until the person scrolls or the returned function is called. */
function keepScrolling(element: HTMLElement, scroll: (leave: () => void) => void): () => void {
  const leave = () => {
    size.disconnect()
    for (const move of moves) removeEventListener(move, leave)
  }
  const size = new ResizeObserver(() => scroll(leave))
  size.observe(element)
  for (const move of moves) addEventListener(move, leave, { passive: true })
  scroll(leave)
  return leave
}

/** Scrolls to a position as soon as the page is long enough, unless the person scrolls before. */
const returnTo = (top: number) =>
  keepScrolling(document.body, (leave) => {
    scrollTo({ top })
    if (Math.abs(scrollY - top) < 1) leave()
  })

/** Scrolls to an element and keeps it in place while the list that contains it grows, until the person scrolls. */
export const stayAt = (id: string, list: HTMLElement) =>
  keepScrolling(list, () => document.getElementById(id)?.scrollIntoView())
