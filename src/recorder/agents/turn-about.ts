import { defined } from './fields.ts'
import type { Transcript, TranscriptTurn } from './seen.ts'

/** What hooks know of a turn: its id, its prompt, and when the prompt was sent, in milliseconds since 1970. */
interface HookedTurn {
  turn?: string | undefined
  prompt?: string | undefined
  at: number
}

/**
 * The turn of a transcript that hooks reported; undefined if the transcript does not have it. A prompt that waited came
 * with the id of the turn before, so the text of a prompt counts more than its id.
 */
export function turnAbout(
  turns: readonly TranscriptTurn[] = [],
  { turn, prompt, at }: HookedTurn,
): TranscriptTurn | undefined {
  const own = turn === undefined ? [] : turns.filter(({ id }) => id === turn)
  if (prompt === undefined)
    return own.at(-1) ?? turns.findLast(({ startedAt, at: end }) => startedAt <= at && at <= end)
  const isSame = (reported: TranscriptTurn) => reported.prompt !== undefined && isText(reported.prompt, prompt)
  const distance = ({ promptAt, startedAt }: TranscriptTurn) => Math.abs((promptAt ?? startedAt) - at)
  const [nearest] = turns.filter(isSame).sort((a, b) => distance(a) - distance(b))
  return own.find(isSame) ?? nearest ?? own.find((reported) => reported.prompt === undefined)
}

/** Hooks and transcripts cut long prompts at different places, and the prompt of hooks may be masked. */
function isText(reported: string, prompt: string): boolean {
  const [start = '', ...others] = partsOf(prompt)
  if (others.length === 0) return shortOf(reported) === start
  const whole = reported.trim()
  let at = whole.startsWith(start) ? start.length : -1
  for (const part of others) if (at >= 0) at = endOf(part, whole, at)
  return at >= 0
}

/** What is known of the beginning of a prompt: the parts between its masks. The cut may fall in a mask. */
function partsOf(prompt: string): string[] {
  const short = shortOf(prompt)
  const last = short.lastIndexOf('[')
  const isDivided = short.length === shortLength && last >= 0 && mask.startsWith(short.slice(last))
  return (isDivided ? short.slice(0, last) + mask : short).split(mask)
}

/** Where a part ends that stands in a text from a place on; -1 if it does not. */
function endOf(part: string, text: string, from: number): number {
  const at = text.indexOf(part, from)
  return at < 0 ? -1 : at + part.length
}

const mask = '[masked]'
const shortLength = 1_000
const shortOf = (prompt: string) => prompt.trim().slice(0, shortLength)

/** What a transcript tells, with how that turn ended instead of the last one; undefined if it does not have the turn. */
export function aboutTurn(all: Transcript, known: HookedTurn): Transcript | undefined {
  const turn = turnAbout(all.turns, known)
  if (!turn) return undefined
  const { answer: _, failure: __, interrupted: ___, ...reported } = all
  const { answer, failure, interrupted } = turn
  return defined({ ...reported, answer, failure, interrupted, turn }) as Transcript
}
