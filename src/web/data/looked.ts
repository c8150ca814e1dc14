import { useEffect, useState } from 'preact/hooks'

const name = 'conduct.looked'

/** When somebody looked here last, in milliseconds: what is newer is new to them. It counts as looked at when they leave. */
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
