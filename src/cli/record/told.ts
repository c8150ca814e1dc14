import { setTimeout as sleep } from 'node:timers/promises'
import type { Told } from '../../agents/seen.ts'
import type { Note } from '../../spool/notes.ts'
import type { Memo } from './memo.ts'

/** An end that notes tell, and that the transcript must tell too. */
export interface Awaited {
  /** When the turn was prompted, in milliseconds since 1970: what was written before is of another turn. */
  since: number
  /** How long it may be on its way. */
  until: number
}

/** How long an agent may write behind its hooks, in milliseconds, and the first pause between two looks. */
const [behindMs, pauseMs] = [3_000, 50]

/** The end that the last of these notes tell of; undefined where they tell of none, or nobody is left to write it. */
export function awaitedOf(notes: Note[], { draft }: Memo): Awaited | undefined {
  const prompt = notes.findLast(({ seen: { step } }) => step.kind === 'prompt')
  const end = notes.findLast(({ seen: { step } }) => step.kind === 'turn' || (step.kind === 'end' && !step.isGone))
  if (!end || (prompt && prompt.id > end.id)) return undefined
  const since = prompt?.at ?? (draft?.prompt === undefined ? 0 : draft.startedAt)
  return { since, until: end.at + behindMs }
}

/** What the transcript tells once it has the end that is awaited, or without what it says of how another turn ended. */
export async function toldWith({ since, until }: Awaited, read: () => Promise<Told>): Promise<Told> {
  for (let ms = pauseMs; ; ms *= 2) {
    const told = await read()
    const { isWhole = true, at = since } = told.written ?? {}
    if (isWhole && at >= since) return told
    const leftMs = until - Date.now()
    if (leftMs > 0) {
      await sleep(Math.min(ms, leftMs))
      continue
    }
    const { answer: _, ...known } = told
    if (at >= since) return known
    const { failure: __, interrupted: ___, ...others } = known
    return others
  }
}
