import { useEffect, useRef } from 'preact/hooks'
import type { ConductError } from '../../../client/client.ts'
import type { Turn } from '../../../nouns/run/turn-fields.ts'
import { listen } from '../log/stream.ts'
import { type Read, useRead } from '../query/read.ts'
import { clientOf } from '../query/server.ts'
import { isTurnOf } from './run-events.ts'

export interface Turns {
  /** In the order of their numbers. */
  turns: Turn[]
  isRead: boolean
  error?: ConductError | undefined
}

const pageSize = 100

/** All turns of a run, and each new one when it ends. Fetches only new turns. */
export function useTurns(project: string, runId: string): Turns {
  const of = `${project}/${runId}`
  const known = useRef<{ of: string; turns: Turn[] }>({ of, turns: [] })
  if (known.current.of !== of) known.current = { of, turns: [] }
  // Before the read that an erasure causes. What was on its way then is not shown.
  useEffect(
    () =>
      listen(({ kind }) => {
        if (kind === 'erased') known.current = { of, turns: [] }
      }),
    [of],
  )
  const read = async (signal: AbortSignal) => {
    const mine = known.current
    for await (const turn of newTurns(project, runId, mine.turns.length, signal)) mine.turns = [...mine.turns, turn]
    return { ...known.current, from: known.current }
  }
  const { data, error, isCurrent } = useRead(`turns ${of}`, read, {
    touches: (event) => event.type === 'turn.created' && isTurnOf(event, project, runId),
    restMs: 200,
  })
  // After an erasure, no turn from before it stays, even if the next read fails.
  const isGone = error !== undefined && data?.from !== known.current
  return { turns: isCurrent && data && !isGone ? data.turns : [], isRead: isCurrent, error }
}

/** Enough to find the last answer: turns that were interrupted have none. */
const lastFew = 5

/** The last turns of a run, newest first. The first may be open. */
export function useLastTurns(project: string, runId: string): Read<Turn[]> {
  const read = async (signal: AbortSignal) => {
    const { turns } = await clientOf(project).listTurns({ runId, order: 'desc', limit: lastFew }, { signal })
    return turns
  }
  return useRead('last turns', read, {
    touches: (event) => event.type.startsWith('turn.') && isTurnOf(event, project, runId),
    restMs: 1000,
  })
}

/** The closed turns after the first `known`, in order. Reads backwards from the newest until it meets known ones. */
export async function* newTurns(project: string, runId: string, known: number, signal: AbortSignal) {
  const client = clientOf(project)
  if (known === 0) {
    for await (const turn of client.all('listTurns', { runId, limit: pageSize }, { signal })) if (!turn.open) yield turn
    return
  }
  const newer: Turn[] = []
  for await (const turn of client.all('listTurns', { runId, order: 'desc', limit: 10 }, { signal })) {
    if (turn.n <= known) break
    if (!turn.open) newer.unshift(turn)
  }
  yield* newer
}
