import { keptIn, useKept } from '../data/browser/storage.ts'
import { type Append, useAppends } from '../data/runs/appends.ts'
import type { Growing } from '../data/runs/growing.ts'
import { usePlaces } from './places.ts'

/** Which run a log is of. */
export interface LogSource {
  project: string
  runId: string
}

export interface Times {
  isShown: boolean
  toggle(): void
  /** When the ledger received the beginning of a line; undefined if nobody knows. */
  of(index: number): string | undefined
}

const kept = keptIn('log-times', (value) => value === true)

/** The times of the lines of a log. Lines do not carry any, so these are those of the appends that brought them. */
export function useTimes(text: Growing, source: LogSource | undefined): Times {
  const isShown = useKept(kept) && source !== undefined
  const appends = useAppends(source, isShown)
  const places = usePlaces(text, isShown)
  const of = (index: number) => {
    const place = places?.of(index)
    return place === undefined ? undefined : appendAt(appends, place)?.at
  }
  return { isShown, toggle: () => kept.write(!isShown), of }
}

/** The append that brought a byte, by bisection. */
function appendAt(appends: Append[], place: number): Append | undefined {
  let [low, high] = [0, appends.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((appends[middle]?.end ?? 0) <= place) low = middle + 1
    else high = middle
  }
  const found = appends[low]
  return found && found.start <= place ? found : undefined
}
