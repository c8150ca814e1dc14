import type { ToldTurn } from './seen.ts'

/** What hooks know of a turn: its id, its prompt, and when the prompt was sent, in milliseconds since 1970. */
export interface Known {
  turn?: string | undefined
  prompt?: string | undefined
  at: number
}

/**
 * The turn of a transcript that hooks reported; undefined if the transcript does not have it. A prompt that waited came
 * with the id of the turn before, so the text of a prompt counts more than its id.
 */
export function toldTurn(turns: readonly ToldTurn[] = [], { turn, prompt, at }: Known): ToldTurn | undefined {
  const own = turn === undefined ? [] : turns.filter(({ id }) => id === turn)
  if (prompt === undefined)
    return own.at(-1) ?? turns.findLast(({ startedAt, at: end }) => startedAt <= at && at <= end)
  const isSame = (told: ToldTurn) => told.prompt !== undefined && shortOf(told.prompt) === shortOf(prompt)
  const distance = ({ promptAt, startedAt }: ToldTurn) => Math.abs((promptAt ?? startedAt) - at)
  const [nearest] = turns.filter(isSame).sort((a, b) => distance(a) - distance(b))
  return own.find(isSame) ?? nearest ?? own.find((told) => told.prompt === undefined)
}

/** Hooks and transcripts cut long prompts at different places. */
const shortOf = (prompt: string) => prompt.trim().slice(0, 1_000)
