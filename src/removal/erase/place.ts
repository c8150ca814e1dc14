import { ConductError } from '../../contract/error.ts'

/**
 * In this order, so that a change in the meantime records only texts that are already erased, or that a later step
 * reads.
 */
export const steps = [
  'run',
  'turn',
  'spec',
  'check',
  'feature',
  'names',
  'events',
  'sides',
  'mark',
  'index',
  'words',
  'scrub',
  'done',
] as const

const counted = ['runs', 'turns', 'specs', 'checks', 'features', 'events', 'others', 'responses'] as const
type Counts = Record<(typeof counted)[number], number>

/** The progress of an erasure. */
export interface ErasePosition {
  step: (typeof steps)[number]
  last: number
  /**
   * The end of the step, fixed when it starts, because writers may never stop. A request with a cursor takes a new end
   * of rows and events. What the index has to forget is known once these are done, so that end is part of the cursor.
   */
  until?: number | undefined
  erased: Counts
}

const countsOf = (values: number[]) => Object.fromEntries(counted.map((name, at) => [name, values[at] ?? 0])) as Counts

/** Whether a step forgets what earlier steps have erased. */
const isAfterwards = (step: ErasePosition['step']) => steps.indexOf(step) >= steps.indexOf('mark')

/** The progress as a cursor: the number of the step, the last row, the counts, and the end of the step if it stays. */
export const placeText = ({ step, last, until, erased }: ErasePosition) =>
  [
    ...[steps.indexOf(step), last, ...counted.map((name) => erased[name])],
    ...(until !== undefined && isAfterwards(step) ? [until] : []),
  ].join('.')

/** The progress in a cursor; without one, the start. Throws BAD_REQUEST for a cursor that `placeText` did not make. */
export function placeIn(cursor: string | undefined): ErasePosition {
  if (cursor === undefined) return { step: 'run', last: 0, erased: countsOf([]) }
  const [at = -1, last = 0, ...rest] = cursor.split('.').map(Number)
  const step = steps[at]
  if (step === undefined || !/^\d{1,2}(?:\.\d{1,15}){9,10}$/.test(cursor)) {
    throw new ConductError('BAD_REQUEST', 'The cursor does not come from an erasure: leave it out to start again.')
  }
  return { step, last, until: rest[counted.length], erased: countsOf(rest) }
}
