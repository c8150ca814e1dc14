import { ConductError } from '../../contract/error.ts'

/** The totals of some runs. */
interface Sum {
  runs: number
  bytes: number
  /** When the oldest of them ended. */
  oldest: string | null
}

/** The progress of a pass over the runs, and what it has removed. */
export interface RetentionPass {
  /** The last run it has checked. */
  last: number
  erased: Sum
  deleted: Sum
}

const none = (): Sum => ({ runs: 0, bytes: 0, oldest: null })

export const newPass = (): RetentionPass => ({ last: 0, erased: none(), deleted: none() })

/** A pass as a cursor: the last run and the totals, with times in Unix milliseconds. */
export const passText = ({ last, erased, deleted }: RetentionPass) =>
  [last, ...[erased, deleted].flatMap(({ runs, bytes, oldest }) => [runs, bytes, msOf(oldest)])].join('.')

/** 0 means none. */
const msOf = (oldest: string | null) => (oldest === null ? 0 : Math.max(1, Date.parse(oldest)))

/** The pass in a cursor; without one, a new pass. Throws BAD_REQUEST for a cursor that `passText` did not make. */
export function passIn(cursor: string | undefined): RetentionPass {
  if (cursor === undefined) return newPass()
  if (!/^\d{1,15}(?:\.\d{1,15}){6}$/.test(cursor)) {
    throw new ConductError('BAD_REQUEST', 'The cursor does not come from this operation: leave it out to start again.')
  }
  const [last = 0, ...sums] = cursor.split('.').map(Number)
  const sumOf = ([runs = 0, bytes = 0, oldest = 0]: number[]): Sum => ({
    runs,
    bytes,
    oldest: oldest === 0 || oldest > 8.64e15 ? null : new Date(oldest).toISOString(),
  })
  return { last, erased: sumOf(sums.slice(0, 3)), deleted: sumOf(sums.slice(3)) }
}
