import { useEffect, useState } from 'preact/hooks'
import { serverNow } from '../query/timing.ts'
import { keptIn, useKept } from './storage.ts'

/** A visit ends once the page was hidden or closed for longer than this. */
const pauseMs = 30 * 60_000
const noteEveryMs = 60_000

/** When this page was last in sight, and when the visit before this one ended, in milliseconds of the server. */
interface Visits {
  seen: number
  before?: number
}

const isNumber = (value: unknown): value is number => typeof value === 'number'

const visits = keptIn('looked', (kept): Visits | undefined => {
  if (!(kept instanceof Object) || !('seen' in kept) || !isNumber(kept.seen)) return undefined
  return 'before' in kept && isNumber(kept.before) ? { seen: kept.seen, before: kept.before } : { seen: kept.seen }
})

/** The visits after the page was in sight at `now`. */
function seenAt(now: number, last: Visits | undefined): Visits {
  if (last === undefined) return { seen: now }
  return now - last.seen > pauseMs ? { seen: now, before: last.seen } : { ...last, seen: now }
}

const write = () => visits.write(seenAt(serverNow(), visits.read()))
const note = () => {
  if (!document.hidden) write()
}

/** When the last visit to this page by this browser ended; undefined in the first one. */
export function useLastVisit(): number | undefined {
  // Before the first drawing: what is new depends on it.
  useState(note)
  useEffect(() => {
    const timer = setInterval(note, noteEveryMs)
    document.addEventListener('visibilitychange', write)
    addEventListener('pagehide', note)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', write)
      removeEventListener('pagehide', note)
      note()
    }
  }, [])
  return useKept(visits)?.before
}
