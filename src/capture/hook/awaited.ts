import { setTimeout as sleep } from 'node:timers/promises'
import type { Transcript } from '../../recorder/agents/seen.ts'
import type { Memo } from '../../recorder/memo.ts'
import type { Trees } from '../../recorder/trees.ts'
import type { Note } from '../spool/notes.ts'

// What hooks report before the agent has written it to its transcript.

/** An end of a turn that hooks reported and that the transcript must contain, too. */
interface Awaited {
  /** When the turn was prompted, in milliseconds since 1970. Earlier entries belong to another turn. */
  since: number
  /** The agent's id of a turn that no hook reported before its end. */
  turn?: string | undefined
  /** The latest time to wait for it. */
  until: number
}

/** How far an agent's transcript may lag behind its hooks, in milliseconds, and the first pause between two reads. */
const [behindMs, pauseMs] = [3_000, 50]

/** When something was noted. By a clock that was set back, that would be in the future. */
const heardAt = (at: number) => Math.min(at, Date.now())

/** The end that the last of these notes report; undefined if they report none, or if no process is left to write it. */
export function awaitedOf(notes: Note[], { draft }: Memo): Awaited | undefined {
  const prompt = notes.findLast(({ seen: { step } }) => step.kind === 'prompt')
  const end = notes.findLast(({ seen: { step } }) => step.kind === 'turn' || (step.kind === 'end' && !step.isGone))
  if (!end || (prompt && prompt.id > end.id)) return undefined
  const since = prompt?.at ?? (draft?.prompt === undefined ? 0 : draft.startedAt)
  return { since, until: heardAt(end.at) + behindMs, turn: since === 0 ? end.seen.turn : undefined }
}

/** Commands whose exit codes hooks did not report, and that may be checks, by their ids. */
interface AwaitedCommands {
  ids: string[]
  /** The latest time to wait for them. */
  until: number
}

/** The commands that the last of these notes report, if only the transcript tells their exit codes. */
export function awaitedCommands(notes: Note[]): AwaitedCommands | undefined {
  const last = notes.filter(({ seen: { step }, git }) => {
    const isCheck = (git as Trees | null)?.home !== undefined
    return isCheck && step.kind === 'tool' && step.exitCode === undefined && !step.goesOn && !step.refused
  })
  const ids = last.flatMap(({ seen: { step } }) => (step.kind === 'tool' && step.id !== undefined ? [step.id] : []))
  return ids.length > 0 ? { ids, until: heardAt(Math.max(...last.map(({ at }) => at))) + behindMs } : undefined
}

/** The content of the transcript once it has what is awaited, or as it is when it is too late. */
async function readUntil(
  until: number,
  read: () => Promise<Transcript>,
  isThere: (reported: Transcript) => boolean,
): Promise<Transcript> {
  for (let ms = pauseMs; ; ms *= 2) {
    const reported = await read()
    const leftMs = until - Date.now()
    if (leftMs <= 0 || isThere(reported)) return reported
    await sleep(Math.min(ms, leftMs))
  }
}

/** The content of the transcript once it has the exit codes of these commands, or as it is when it is too late. */
export const readWithCommands = ({ ids, until }: AwaitedCommands, read: () => Promise<Transcript>) =>
  readUntil(until, read, ({ turns, commands }) => !turns || ids.every((id) => commands?.[id]))

/**
 * The content of the transcript once it has the awaited end; otherwise without how the last turn ended, which would
 * belong to another turn.
 */
export async function readWithEnd(
  { since, until, turn }: Awaited,
  read: () => Promise<Transcript>,
): Promise<Transcript> {
  const isOfTurn = ({ written, turns = [] }: Transcript) => {
    const isNamed = turn !== undefined && turns.some(({ id }) => id !== undefined)
    return isNamed ? turns.at(-1)?.id === turn : (written?.at ?? since) >= since
  }
  const hasEnd = (reported: Transcript) => isOfTurn(reported) && (reported.written?.isWhole ?? true)
  const reported = await readUntil(until, read, hasEnd)
  if (hasEnd(reported)) return reported
  const { answer: _, ...known } = reported
  if (isOfTurn(reported)) return known
  const { failure: __, interrupted: ___, ...others } = known
  return others
}
