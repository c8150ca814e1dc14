import { existsSync } from 'node:fs'
import { stateFile, stateOf } from '../../capture/spool/state-file.ts'
import type { Env } from '../../place/folders.ts'
import { type Place, sameLedger } from '../../place/place.ts'

/** The ids of sessions of an agent that hooks on this machine recorded for that ledger, which does not have their runs yet. */
export function waitingSessions(agent: string, place: Place, env: Env): Set<string> {
  if (!existsSync(stateFile(env))) return new Set()
  const state = stateOf(env)
  try {
    const names = new Set([...state.unsent().map(({ name }) => name), ...state.noted()])
    const recordings = [...names].flatMap((name) => state.find(name) ?? [])
    const waiting = recordings.filter(
      (one) => one.agent === agent && one.runId === null && sameLedger(one.place, place),
    )
    return new Set(waiting.flatMap(({ session }) => session ?? []))
  } finally {
    state.close()
  }
}
