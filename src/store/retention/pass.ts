import { ConductError } from '../../api/error.ts'

/** What some runs come to. */
interface Sum {
  runs: number
  bytes: number
  /** When the oldest of them ended. */
  oldest: string | null
}

/** How far a pass over the runs has come, and what it took away. */
export interface Pass {
  /** The last run that it has looked at. */
  last: number
  erased: Sum
  deleted: Sum
}

const none = (): Sum => ({ runs: 0, bytes: 0, oldest: null })

export const newPass = (): Pass => ({ last: 0, erased: none(), deleted: none() })

/** A pass as a cursor: the last run and the sums, with times in Unix milliseconds. */
export const passText = ({ last, erased, deleted }: Pass) =>
  [last, ...[erased, deleted].flatMap(({ runs, bytes, oldest }) => [runs, bytes, msOf(oldest)])].join('.')

/** 0 for none. */
const msOf = (oldest: string | null) => (oldest === null ? 0 : Math.max(1, Date.parse(oldest)))

/** The pass that a cursor names; without one, a new pass. BAD_REQUEST for a cursor that `passText` did not make. */
export function passIn(cursor: string | undefined): Pass {
  if (cursor === undefined) return newPass()
  if (!/^\d{1,15}(?:\.\d{1,15}){6}$/.test(cursor)) {
    throw new ConductError('BAD_REQUEST', 'The cursor is none of forgetting: leave it out to begin again.')
  }
  const [last = 0, ...sums] = cursor.split('.').map(Number)
  const sumOf = ([runs = 0, bytes = 0, oldest = 0]: number[]): Sum => ({
    runs,
    bytes,
    oldest: oldest === 0 || oldest > 8.64e15 ? null : new Date(oldest).toISOString(),
  })
  return { last, erased: sumOf(sums.slice(0, 3)), deleted: sumOf(sums.slice(3)) }
}
