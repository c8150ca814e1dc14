import { useEffect, useState } from 'preact/hooks'

const name = 'conduct.looked'

/**
 * The time of the last visit to this page, in milliseconds; anything newer is new to this person. A visit counts when
 * it ends.
 */
export function useLooked(): number {
  const [looked] = useState(() => Number(localStorage.getItem(name) ?? Date.now()))
  useEffect(() => {
    const leave = () => localStorage.setItem(name, String(Date.now()))
    addEventListener('pagehide', leave)
    return () => {
      removeEventListener('pagehide', leave)
      leave()
    }
  }, [])
  return looked
}
