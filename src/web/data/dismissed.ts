import type { Need } from './attention.ts'
import { keptIn, textsOf, useKept } from './kept.ts'

/** So many are kept; the oldest are forgotten first. */
const most = 500

const kept = keptIn('dismissed', (value) => new Set(textsOf(value)))

/** What was dismissed: the run as it ended, and for that reason. What becomes of it later needs attention again. */
export const dismissalOf = ({ run, why }: Need) => `${run.id} ${run.endedAt} ${why}`

/** What the person at this browser has dismissed. It stays here: others may still have to look, and the run is not changed. */
export const useDismissed = (): ReadonlySet<string> => useKept(kept)

export const dismiss = (need: Need) => kept.write(new Set([...without(need), dismissalOf(need)].slice(-most)))

/** Takes a dismissal back. */
export const restore = (need: Need) => kept.write(new Set(without(need)))

const without = (need: Need) => [...kept.read()].filter((one) => one !== dismissalOf(need))
