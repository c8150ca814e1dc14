import type { RefObject } from 'preact'
import { useEffect, useState } from 'preact/hooks'

/** Whether an element is in sight, or nearly. */
export function useInSight(place: RefObject<Element | null>): boolean {
  const [isSeen, setSeen] = useState(false)
  useEffect(() => {
    // A busy page gets several changes at once; the last one holds.
    const observer = new IntersectionObserver((changes) => setSeen(changes.at(-1)?.isIntersecting ?? false), {
      rootMargin: '300px',
    })
    if (place.current) observer.observe(place.current)
    return () => observer.disconnect()
  }, [])
  return isSeen
}
