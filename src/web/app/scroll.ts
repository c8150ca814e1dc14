import { useLayoutEffect } from 'preact/hooks'
import type { Route } from './router.ts'

/** The scroll position of each history entry. The state of an entry is its number. */
const heights: number[] = []

const stepNow = (): number | undefined => {
  const state: unknown = history.state
  return typeof state === 'number' ? state : undefined
}

/** Starts a new page at its top, and returns to the old position on the way back. */
export function useScroll({ path }: Route): void {
  const page = path.join('/')
  useLayoutEffect(() => {
    history.scrollRestoration = 'manual'
    const step = stepNow() ?? heights.push(0) - 1
    history.replaceState(step, '')
    scrollTo({ top: heights[step] ?? 0 })
    const keep = () => {
      if (stepNow() === step) heights[step] = scrollY
    }
    addEventListener('scroll', keep, { passive: true })
    return () => removeEventListener('scroll', keep)
  }, [page])
}
