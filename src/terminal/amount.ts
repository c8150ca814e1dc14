import { units } from '../contract/span.ts'

/** A time relative to `now` (Unix milliseconds): `3m ago`, `in 2h`; a date if it is more than 30 days away. */
export function relative(time: string, now: number): string {
  const seconds = Math.round((now - Date.parse(time)) / 1000)
  const distance = Math.abs(seconds)
  if (distance < 1) return 'now'
  if (distance > 30 * 86_400) return time.slice(0, 10)
  const [unit, length] = units.find(([, length]) => distance >= length) ?? ['s', 1]
  const words = `${Math.floor(distance / length)}${unit}`
  return seconds > 0 ? `${words} ago` : `in ${words}`
}

/** Bytes as people say them: `12.3 GB`, `45 MB`, `6 kB`. */
export function sized(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(1)} GB`
  return bytes >= 1e6 ? `${Math.round(bytes / 1e6)} MB` : `${Math.ceil(bytes / 1e3)} kB`
}
