export const units: [unit: string, seconds: number][] = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
]

/** A duration in its two largest units: `850ms`, `42s`, `3m 20s`, `4d 3h`. */
export function spanOf(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}ms`
  let rest = Math.round(ms / 1000)
  const parts = units.map(([unit, length]) => {
    const count = Math.floor(rest / length)
    rest -= count * length
    return { unit, count }
  })
  const first = parts.findIndex(({ count }) => count > 0)
  const largest = parts.slice(first, first + 2).filter(({ count }) => count > 0)
  return largest.map(({ unit, count }) => `${count}${unit}`).join(' ')
}

/** An ISO time that is later by so many milliseconds, or earlier by as many below zero. */
export const shifted = (time: string, ms: number): string => new Date(Date.parse(time) + ms).toISOString()
