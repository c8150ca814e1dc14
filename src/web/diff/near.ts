import type { RefObject } from 'preact'
import { useEffect, useState } from 'preact/hooks'

/** How far from the window a part of the page is drawn, in pixels. */
const reachPx = 1000

/** Whether an element has come near the window. Once it has, it stays so. */
export function useNear(element: RefObject<HTMLElement | null>, isAtOnce = false): boolean {
  const [isNear, setNear] = useState(isAtOnce)
  useEffect(() => {
    if (isNear || !element.current) return
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) setNear(true)
      },
      { rootMargin: `${reachPx}px` },
    )
    observer.observe(element.current)
    const print = () => setNear(true)
    addEventListener('beforeprint', print)
    return () => {
      observer.disconnect()
      removeEventListener('beforeprint', print)
    }
  }, [isNear])
  useEffect(() => {
    if (isAtOnce) setNear(true)
  }, [isAtOnce])
  return isNear
}
