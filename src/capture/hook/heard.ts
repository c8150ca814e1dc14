import { existsSync, readFileSync } from 'node:fs'
import type { Env } from '../../place/folders.ts'
import { installs } from '../../recorder/agents/install.ts'
import { type Heard, readHeard } from '../spool/heard.ts'
import { stateFile } from '../spool/state-file.ts'
import { missedFile } from './missed.ts'

/** The agents that have called hooks on this machine, newest first. Throws an Error if the state cannot be read. */
export const heardAgents = (env: Env): Heard[] => (existsSync(stateFile(env)) ? readHeard(stateFile(env)) : [])

export const titleOf = (name: string) => installs.find((install) => install.name === name)?.title ?? name

/** The newest hook call that recorded nothing. */
export interface Missed extends Heard {
  reason: string
}

/**
 * The last failure that was kept, unless that agent has called a hook since; undefined if there is none.
 */
export function missedHook(env: Env, heard: Heard[]): Missed | undefined {
  try {
    const missed: Missed = JSON.parse(readFileSync(missedFile(env), 'utf8'))
    return heard.some(({ agent, at }) => agent === missed.agent && at > missed.at) ? undefined : missed
  } catch {
    return undefined
  }
}

/** The failure in words. */
export const missedWords = ({ agent, reason }: Missed) => `a hook of ${titleOf(agent)} recorded nothing: ${reason}`
