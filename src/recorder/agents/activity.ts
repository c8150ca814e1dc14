import type { ActivityInput } from '../../nouns/run/work-fields.ts'
import { startOf } from './fields.ts'
import type { Step } from './seen.ts'

/** The target of a tool, such as a command, shortened for an activity. */
export const shortOf = (target: string) => startOf(target, 300).toWellFormed()

/**
 * The activity of a session after the step; undefined if the step does not say, null if the session has ended. A wait
 * whose tool the step does not name is for that of the activity `before`.
 */
export function activityOf(step: Step, since: string, before?: ActivityInput): ActivityInput | null | undefined {
  if (step.kind === 'wait' && step.tool === undefined && before?.tool !== undefined && before.state !== 'idle')
    return { since, ...before, ...(before.state === 'working' && { since }), state: 'waiting' }
  switch (step.kind) {
    case 'begin':
    case 'tool':
    case 'wait': {
      const { tool } = step
      const target = step.kind === 'tool' ? (step.command ?? step.files?.[0]) : step.target
      const state = step.kind === 'wait' ? 'waiting' : 'working'
      return { state, ...(tool && { tool }), ...(target && { target: shortOf(target) }), since }
    }
    case 'turn':
      return { state: step.goesOn ? 'working' : 'idle', since }
    case 'end':
      return null
    case 'start':
    case 'outcome':
      return undefined
    default:
      return { state: 'working', since }
  }
}

/**
 * How long a run stays alive without a report from its session, in seconds: while the agent works, and while it rests
 * or waits.
 */
export const leaseSeconds = { working: 600, resting: 7_200 }

export const leaseSecondsOf = ({ state }: Pick<ActivityInput, 'state'>) =>
  state === 'working' ? leaseSeconds.working : leaseSeconds.resting
