import { useEffect, useState } from 'preact/hooks'
import { keptIn } from './kept.ts'
import { serverNow } from './server-time.ts'

const kept = keptIn('looked', (value) => (typeof value === 'number' ? value : serverNow()))

/**
 * The time of the last visit to this page, in milliseconds; anything newer is new to this person. A visit counts when
 * it ends.
 */
export function useLooked(): number {
  const [looked] = useState(kept.read)
  useEffect(() => {
    const leave = () => kept.write(serverNow())
    addEventListener('pagehide', leave)
    return () => {
      removeEventListener('pagehide', leave)
      leave()
    }
  }, [])
  return looked
}
