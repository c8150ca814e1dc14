import { shifted } from '../contract/span.ts'
/** How far clocks may differ, in milliseconds. A longer difference means that one of them was or is wrong. */
export const driftMs = 3_600_000

/** The latest time that a right clock can have set before `now`. */
export const latestBy = (now: string) => shifted(now, driftMs)
