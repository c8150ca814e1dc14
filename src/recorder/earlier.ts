import type { Seen, SeenFailure, Step } from './agents/seen.ts'
import { type Draft, newDraft } from './agents/turn.ts'
import type { Memo } from './memo.ts'

// What recorders of version 0.1 stored.

/** What recorders of version 0.1 stored instead. */
interface Earlier {
  turn?: {
    prompts: string[]
    tools: Record<string, number>
    files: string[]
    commands: { command: string; exitCode?: number }[]
  }
  failure?: unknown
}

/** A stored memo in its current form. `at` is when its turn started, if it does not say so. */
export function memoOf(stored: object, at: number): Memo {
  const { turn, failure, ...memo } = stored as Memo & Earlier
  return {
    ...memo,
    ...(turn && { draft: draftOf(turn, at) }),
    ...(failure !== undefined && { failure: failureOf(failure) }),
  }
}

/** Whether version 0.1 recorded the session so far. It numbered no turns, and did not store what its transcript had used. */
export const isOfEarlier = ({ begun, n, draft }: Memo): boolean =>
  begun === true && n === undefined && draft === undefined

function draftOf({ prompts, tools, files, commands }: NonNullable<Earlier['turn']>, at: number): Draft {
  return {
    ...newDraft(at),
    ...(prompts.length > 0 && { prompt: prompts.join('\n\n') }),
    tools: Object.entries(tools).map(([name, count]) => ({ name, count })),
    files,
    commands: commands.map((ran) => ({ ...ran, at })),
  }
}

const failureOf = (failure: unknown): SeenFailure =>
  typeof failure === 'string' ? { code: 'AGENT_FAILED', message: failure } : (failure as SeenFailure)

/** A stored note in its current form. In version 0.1, a failure was a text. */
export function stepOf({ step }: Seen): Step {
  if ((step.kind !== 'turn' && step.kind !== 'end') || step.failure === undefined) return step
  return { ...step, failure: failureOf(step.failure) }
}
