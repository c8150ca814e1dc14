import { useLayoutEffect } from 'preact/hooks'
import type { Route } from './router.ts'

/** Where each step of the history was scrolled to; the step's number is its state. */
const heights: number[] = []

const stepNow = (): number | undefined => {
  const state: unknown = history.state
  return typeof state === 'number' ? state : undefined
}

/** Begins each page at its top, and one that is come back to where it was left. */
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
