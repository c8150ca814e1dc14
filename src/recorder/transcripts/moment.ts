import { timeOf } from '../agents/fields.ts'
import type { LineFault, ReadBudget } from '../agents/lines.ts'
import type { SeenUsage, Step, Transcript } from '../agents/seen.ts'
import type { Written } from './written.ts'

/** An entry of a transcript, in chronological order. */
export interface Moment {
  /** When it was written, in milliseconds since 1970; 0 if neither it nor an entry before it has a time. */
  at: number
  /** What the agent's hooks would have reported. */
  step?: Step
  /** The agent's id of the turn, where the entry names it. */
  turn?: string
  /** For a prompt: when its user sent it, if the agent was still working on the turn before. */
  sentAt?: number
  /** For a prompt: its user sent it within a turn, which it does not end. */
  isWithin?: true
  /** A turn has begun whose prompt may follow. */
  begins?: true
  /** For the use of a tool: the agent's hooks do not report it. */
  isUnheard?: true
  /** The words with which the agent reports that a hook did not let a command run; they end with the command. */
  blocked?: string
  /** For the end of a turn: nothing but the end of the file says that it is one. */
  isUnsure?: true
  /** A request to the model. A repeated one replaces the former. */
  request?: { id: unknown; usage: SeenUsage; bySubagent?: true }
  /** The agent's own total of the whole session so far, including subagents. */
  sum?: SeenUsage
  /** New facts about the session. */
  session?: { cwd?: string; branch?: string; base?: string; version?: string }
  /** The tokens of a subagent. */
  subagent?: NonNullable<Transcript['subagents']>[number]
  /** What the tool wrote, if the caller reads contents. */
  written?: Written[]
  /** The results of commands, by the ids of their tool uses. */
  commands?: NonNullable<Transcript['commands']>
}

/** Called with the reason for each part of a transcript that has no place in a run. */
export type SkipReport = (file: string, line: number | undefined, reason: LineFault | string) => void

/** Reads what a session and its subagents did, in chronological order. Throws if the transcript cannot be read. */
export type TranscriptReader = (
  path: string,
  subagents: readonly string[],
  pass: SkipReport,
  left: ReadBudget,
) => AsyncIterable<Moment>

/** The time of a line, or that of the previous line if it has none. */
export function momentOf(timestamp: unknown, before: number): number {
  return Math.max(timeOf(timestamp) ?? before, before)
}

/** Why a line without a time has no place in a run. */
export const untimed = 'neither it nor a line before it has a time'

/** The moments of a session and of the subagents in these files, in chronological order. */
export async function* withSubagents(
  own: AsyncIterable<Moment>,
  files: readonly string[],
  read: (file: string, pass: SkipReport) => Promise<Moment[]>,
  pass: SkipReport,
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

/** The last words of an agent, which end its turn unless more work follows. */
export interface Speech {
  /** The agent said something. `isLast` means that nothing else of the turn has to follow. */
  say(text: string | undefined, at: number, isLast: boolean): void
  /** Nothing that the agent said before ends a turn. */
  forget(): void
  /** The end of the turn, if the last words were one. */
  end(): Moment[]
}

export function createSpeech(): Speech {
  let said: { text: string | undefined; at: number; isLast: boolean } | undefined
  return {
    say(text, at, isLast) {
      said = { text: text ?? said?.text, at, isLast }
    },
    forget() {
      said = undefined
    },
    end() {
      const ended = said
      said = undefined
      if (!ended?.isLast) return []
      const { text, at } = ended
      return [{ at, step: { kind: 'turn', ...(text !== undefined && { answer: text }) } }]
    },
  }
}
