import { timeOf } from '../fields.ts'
import type { Fault } from '../lines.ts'
import type { Step, Usage } from '../seen.ts'

/** An entry of a transcript, in chronological order. */
export interface Moment {
  /** When it happened, in milliseconds since 1970. */
  at: number
  /** What the agent's hooks would have reported. */
  step?: Step
  /** A request to the model. A repeated one replaces the former. */
  request?: { id: unknown; usage: Usage }
  /** New facts about the session. */
  session?: { cwd?: string; branch?: string; base?: string }
  /** The tokens of a subagent, by its id. */
  subagent?: { id: string; tokens: number }
  /** The results of commands, by the ids of their tool uses. */
  commands?: Record<string, { exitCode?: number; durationMs?: number }>
}

/** Called with the reason for each part of a transcript that has no place in a run. */
export type Pass = (file: string, line: number | undefined, reason: Fault | string) => void

/** The time of a line, or that of the previous line if it has none. */
export function momentOf(timestamp: unknown, before: number): number {
  return Math.max(timeOf(timestamp) ?? before, before)
}

/** The moments of a session and of the subagents in these files, in chronological order. */
export async function* withSubagents(
  own: AsyncIterable<Moment>,
  files: readonly string[],
  read: (file: string, pass: Pass) => Promise<Moment[]>,
  pass: Pass,
): AsyncGenerator<Moment> {
  const others: Moment[][] = []
  for (const file of files) {
    try {
      others.push(await read(file, pass))
    } catch (error) {
      pass(file, undefined, (error as Error).message)
    }
  }
  yield* merged(
    own,
    others.flat().sort((a, b) => a.at - b.at),
  )
}

/** Merges the moments of a session with those of its subagents, which are sorted. */
async function* merged(own: AsyncIterable<Moment>, others: Moment[]): AsyncGenerator<Moment> {
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
