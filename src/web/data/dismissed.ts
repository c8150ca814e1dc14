import type { Need } from './attention.ts'
import { keptIn, textsOf, useKept } from './kept.ts'

/** The most dismissals to keep. The oldest are dropped first. */
const most = 500

const kept = keptIn('dismissed', (value) => new Set(textsOf(value)))

/** The key of a dismissal: the run, how it ended, and the reason. Later changes of the run need attention again. */
export const dismissalOf = ({ run, why }: Need) => `${run.id} ${run.endedAt} ${why}`

/**
 * What the person at this browser has dismissed. It stays in this browser: others may still need to look, and the run
 * does not change.
 */
export const useDismissed = (): ReadonlySet<string> => useKept(kept)

export const dismiss = (need: Need) => kept.write(new Set([...without(need), dismissalOf(need)].slice(-most)))

/** Undoes a dismissal. */
export const restore = (need: Need) => kept.write(new Set(without(need)))

const without = (need: Need) => [...kept.read()].filter((one) => one !== dismissalOf(need))
