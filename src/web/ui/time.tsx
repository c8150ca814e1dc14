import { useEffect, useState } from 'preact/hooks'
import { eachTick, serverNow } from '../data/query/timing.ts'

const steps: [limit: number, seconds: number, unit: Intl.RelativeTimeFormatUnit][] = [
  [60, 1, 'second'],
  [3600, 60, 'minute'],
  [86_400, 3600, 'hour'],
  [86_400 * 30, 86_400, 'day'],
  [86_400 * 365, 86_400 * 30, 'month'],
  [Number.POSITIVE_INFINITY, 86_400 * 365, 'year'],
]
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'always', style: 'narrow' })
/** With the time zone, which others who see a picture of the page do not know. */
const exact = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'long' })

/** The server's current time in milliseconds, updated at that interval. */
export function useNow(everyMs = 15_000): number {
  const [now, setNow] = useState(serverNow)
  useEffect(() => eachTick(everyMs, setNow), [everyMs])
  return Math.max(now, serverNow() - everyMs)
}

/** The time since then, with the exact time on hover. */
export function Ago({ at }: { at: string }) {
  const now = useNow()
  return (
    <time dateTime={at} title={exact.format(new Date(at))}>
      {agoOf(at, now)}
    </time>
  )
}

const clock = new Intl.DateTimeFormat('en', { timeStyle: 'short' })

/** The time of day in the viewer's time zone, with the day on hover. */
export function TimeOfDay({ at }: { at: string }) {
  return (
    <time dateTime={at} title={exact.format(new Date(at))}>
      {clock.format(new Date(at))}
    </time>
  )
}

const short = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'short' })

/** The time in the viewer's time zone: `Mar 2, 2026, 8:00 AM`. */
export const timeWords = (at: string): string => short.format(new Date(at))

const date = new Intl.DateTimeFormat('en', { dateStyle: 'medium' })

/** The day of a time in the viewer's time zone, or a day like `2026-03-02`: `Mar 2, 2026`. */
export const dateWords = (at: string): string => date.format(new Date(at.length === 10 ? `${at}T00:00` : at))

/** The time in the viewer's time zone and how long ago that is, with seconds on hover. */
export function When({ at }: { at: string }) {
  const now = useNow()
  return (
    <time dateTime={at} title={exact.format(new Date(at))}>
      {timeWords(at)} <span class="since">({agoOf(at, now)})</span>
    </time>
  )
}

function agoOf(at: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(at)) / 1000))
  if (seconds < 5) return 'now'
  const [, size, unit] = steps.find(([limit]) => seconds < limit) ?? [0, 1, 'second' as const]
  return relative.format(-Math.floor(seconds / size), unit)
}

/** Says when texts of a thing were erased, if they were. */
export function ErasedAt({ at }: { at: string | undefined }) {
  if (at === undefined) return null
  return (
    <span class="muted">
      texts erased <When at={at} />
    </span>
  )
}
