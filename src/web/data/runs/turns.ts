import { useEffect, useState } from 'preact/hooks'
import type { ConductError } from '../../../client/client.ts'
import type { Turn } from '../../../nouns/run/turn-fields.ts'
import { listen } from '../log/stream.ts'
import { failureOf, type Read, useRead } from '../query/read.ts'
import { clientOf } from '../query/server.ts'
import { oneAtATime } from '../query/timing.ts'
import { isTurnOf } from './run-events.ts'

export interface Turns {
  /** In the order of their numbers. */
  turns: Turn[]
  isRead: boolean
  error?: ConductError
}

const pageSize = 100

/** All turns of a run, and each new one when it ends. Fetches only new turns. */
export function useTurns(project: string, runId: string): Turns {
  const [state, setState] = useState<Turns>({ turns: [], isRead: false })
  useEffect(() => {
    const end = new AbortController()
    let turns: Turn[] = []
    /** Counts how often the turns were dropped. What was on its way then must not be shown. */
    let era = 0
    const set = (next: Turns) => end.signal.aborted || setState(next)
    const { soon: readOn } = oneAtATime(async () => {
      const mine = era
      try {
        for await (const turn of newTurns(project, runId, turns.length, end.signal)) {
          if (mine !== era) return
          turns = [...turns, turn]
        }
        if (mine === era) set({ turns, isRead: true })
      } catch (error) {
        set({ turns, isRead: true, error: failureOf(error) })
      }
    }, 200)
    readOn()
    const leave = listen((news) => {
      if (news.kind === 'erased') {
        turns = []
        era++
      }
      const isNew = news.kind === 'event' && news.event.type === 'turn.created' && isTurnOf(news.event, project, runId)
      if (isNew || news.kind === 'connected' || news.kind === 'erased') readOn()
    })
    return () => {
      end.abort()
      leave()
    }
  }, [project, runId])
  return state
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
