import { useLayoutEffect, useRef } from 'preact/hooks'
import type { Route } from './router.ts'

/** The scroll position of each history entry. The state of an entry is its number. */
const heights: number[] = []

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
    if (isOther) scrollTo({ top: heights[step] ?? 0 })
    last.current = page
    const keep = () => {
      if (stepNow() === step) heights[step] = scrollY
    }
    addEventListener('scroll', keep, { passive: true })
    return () => removeEventListener('scroll', keep)
  }, [page, query.toString()])
}
