import type { Fault } from '../lines.ts'
import type { Step, Usage } from '../seen.ts'

/** One thing that a transcript tells, in the order of time. */
export interface Moment {
  /** When it happened, in milliseconds since 1970. */
  at: number
  /** What the hooks of the agent would have reported then. */
  step?: Step
  /** A request to the model; one that is told again takes the place of the former. */
  request?: { id: unknown; usage: Usage }
  /** What is known of the session since. */
  session?: { cwd?: string; branch?: string; base?: string }
  /** The tokens of a subagent, by its id. */
  subagent?: { id: string; tokens: number }
  /** How a command ended, by the id of its tool use. */
  commands?: Record<string, { exitCode?: number; durationMs?: number }>
}

/** Called for each part of a transcript that has no place in a run, with the reason. */
export type Pass = (file: string, line: number | undefined, reason: Fault | string) => void

/** The time of a line; that of the line before where it has none. */
export function momentOf(timestamp: unknown, before: number): number {
  const at = typeof timestamp === 'string' ? Date.parse(timestamp) : Number.NaN
  return Number.isNaN(at) ? before : Math.max(at, before)
}

/** The moments of a session with those of its subagents between them, which are in order. */
export async function* merged(own: AsyncIterable<Moment>, others: Moment[]): AsyncGenerator<Moment> {
  let next = 0
  for await (const moment of own) {
    for (let other = others[next]; other && other.at <= moment.at; other = others[next]) {
      yield other
      next += 1
    }
    yield moment
  }
  yield* others.slice(next)
}
