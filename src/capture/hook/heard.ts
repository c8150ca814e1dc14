import { existsSync, readFileSync } from 'node:fs'
import type { Env } from '../../place/folders.ts'
import { installs } from '../../recorder/agents/install.ts'
import { openDatabase } from '../spool/database.ts'
import { stateFile } from '../spool/state-file.ts'
import { missedFile } from './missed.ts'

/** The agents that have called hooks on this machine, newest first. Throws an Error if the state cannot be read. */
export const heardAgents = (env: Env): LastHook[] => (existsSync(stateFile(env)) ? readHeard(stateFile(env)) : [])

export const titleOf = (name: string) => installs.find((install) => install.name === name)?.title ?? name

/** The newest hook call that recorded nothing. */
interface Missed extends LastHook {
  reason: string
}

/**
 * The last failure that was kept, unless that agent has called a hook since; undefined if there is none.
 */
export function missedHook(env: Env, heard: LastHook[]): Missed | undefined {
  try {
    const missed: Missed = JSON.parse(readFileSync(missedFile(env), 'utf8'))
    return heard.some(({ agent, at }) => agent === missed.agent && at > missed.at) ? undefined : missed
  } catch {
    return undefined
  }
}

/** The failure in words. */
export const missedWords = ({ agent, reason }: Missed) => `a hook of ${titleOf(agent)} recorded nothing: ${reason}`

/** When an agent last called a hook on this machine. */
interface LastHook {
  /** Its name in commands: `claude`. */
  agent: string
  /** Milliseconds since 1970. */
  at: number
}

/** The agents that have called hooks within the last 30 days, newest first. Throws like `openDatabase`. */
function readHeard(file: string): LastHook[] {
  using db = openDatabase(file)
  // The name of a hook recording consists of the agent and the session.
  return db.rows<LastHook>(
    `select substr(r.name, 1, length(r.name) - length(r.session) - 1) as agent, max(n.at) as at
      from recordings r join notes n on n.name = r.name where r.kind = 'hook' group by 1 order by 2 desc`,
  )
}
