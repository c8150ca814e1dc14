import { useLayoutEffect, useState } from 'preact/hooks'

/** Whether a media query matches, also after that changes. */
export function useMatch(query: MediaQueryList): boolean {
  const [isMatch, setMatch] = useState(query.matches)
  useLayoutEffect(() => {
    const look = () => setMatch(query.matches)
    look()
    query.addEventListener('change', look)
    return () => query.removeEventListener('change', look)
  }, [query])
  return isMatch
}
