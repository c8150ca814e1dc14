import type { RefObject } from 'preact'
import { useEffect, useState } from 'preact/hooks'

/** Calls `look` with whether an element is within `rootMargin` of the window, at first and whenever that changes. */
export function useSight(
  place: RefObject<Element | null>,
  look: (isSeen: boolean) => void,
  rootMargin = '300px',
  inputs: readonly unknown[] = [],
): void {
  useEffect(() => {
    // A busy page gets several changes at once; the last one holds.
    const observer = new IntersectionObserver((changes) => look(changes.at(-1)?.isIntersecting ?? false), {
      rootMargin,
    })
    if (place.current) observer.observe(place.current)
    return () => observer.disconnect()
  }, inputs)
}

/** Whether an element is in sight, or nearly. */
export function useInSight(place: RefObject<Element | null>): boolean {
  const [isSeen, setSeen] = useState(false)
  useSight(place, setSeen)
  return isSeen
}

/** Whether an element has come near the window, or is to be printed. Once it has, it stays so. */
export function useNear(element: RefObject<HTMLElement | null>, isAtOnce: boolean): boolean {
  const [isNear, setNear] = useState(isAtOnce)
  useSight(element, (isSeen) => isSeen && setNear(true), '1000px', [isNear])
  useEffect(() => {
    const print = () => setNear(true)
    addEventListener('beforeprint', print)
    return () => removeEventListener('beforeprint', print)
  }, [])
  useEffect(() => {
    if (isAtOnce) setNear(true)
  }, [isAtOnce])
  return isNear
}
