import { useEffect, useState } from 'preact/hooks'
import { serverNow } from './server-time.ts'

const name = 'conduct.looked'

/**
 * The time of the last visit to this page, in milliseconds; anything newer is new to this person. A visit counts when
 * it ends.
 */
export function useLooked(): number {
  const [looked] = useState(() => Number(localStorage.getItem(name) ?? serverNow()))
  useEffect(() => {
    const leave = () => localStorage.setItem(name, String(serverNow()))
    addEventListener('pagehide', leave)
    return () => {
      removeEventListener('pagehide', leave)
      leave()
    }
  }, [])
  return looked
}
