import type { Failure } from '../../agents/seen.ts'
import { isEmpty } from '../../agents/turn.ts'
import { mask } from '../../mask/mask.ts'
import { turned } from './run-calls.ts'
import type { Session, Settled } from './session.ts'

/** The failure of a turn during which the agent's process ended. */
export const gone: Failure = { code: 'AGENT_GONE', message: "The agent's process ended before the turn did." }

/** What is known about a turn that ended without a hook. */
export interface LeftOpen {
  at: number
  /** When the next prompt came, if one did. */
  until: number | undefined
  failure?: Failure | undefined
  /** If missing, the transcript decides; if it does not say, the user interrupted the turn. */
  interrupted?: boolean | undefined
}

/** Ends a turn without a hook: it failed, its user interrupted it, or the next message came while the agent worked. */
export async function leftOpen(session: Session, settled: Settled, known: LeftOpen): Promise<Settled> {
  const { draft } = settled.memo
  const { at, until } = known
  if ((!draft || isEmpty(draft)) && !known.failure) return settled
  const told = await session.transcript(until)
  // If both say how it ended, the transcript knows more.
  const failure = told.failure
    ? { ...told.failure, message: await mask(told.failure.message) }
    : told.interrupted
      ? undefined
      : known.failure
  // What an agent does on its own ends with its session.
  const isInterrupted = known.interrupted ?? told.interrupted ?? draft?.prompt !== undefined
  const how = failure ? { failure } : isInterrupted ? { interrupted: true as const } : {}
  const words = failure || told.answer === undefined ? {} : { answer: await mask(told.answer) }
  return turned(session, settled, { ...how, ...words, at, until })
}
