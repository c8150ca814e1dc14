import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as after } from 'node:timers/promises'
import type { RealAgent } from './agents/agent.ts'
import type { Played } from './model/play.ts'
import type { Model } from './model/server.ts'
import type { Place } from './place.ts'
import type { Session } from './scenarios.ts'

/** How a session of a real agent went. */
export interface Ran {
  session: Session
  played: Played
  /** Its own id, where its output says it. */
  id: string | undefined
  /** `code 0`, `SIGKILL`. */
  end: string
  output: string
}

/** After so many milliseconds a session is killed. */
const limit = 180_000
/** What Ctrl-C comes after, in milliseconds: the agent has asked its model, and waits. */
const thought = 1_500

/** Runs one session of an agent in that place, without a terminal. */
export async function runAgent(
  agent: RealAgent,
  place: Place,
  model: Model,
  name: string,
  session: Session,
  refuses: boolean,
): Promise<Ran> {
  const played = model.play(name, session.script)
  const url = model.urlOf(name)
  const words = agent.args({ prompt: session.prompt, url, model: agent.model, refuses })
  const child = spawn(agent.name, words, {
    cwd: place.repository,
    env: { ...place.env, ...agent.env(url, refuses) },
    // A group of its own, as a terminal gives it, which Ctrl-C reaches as a whole.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (piece: string) => {
      output += piece
    })
  const signal = (name: NodeJS.Signals) => child.pid !== undefined && tryKill(-child.pid, name)
  const late = setTimeout(() => signal('SIGKILL'), limit)
  played.hanging.then(() => after(thought)).then(() => signal('SIGINT'))
  const [code, by] = (await once(child, 'exit')) as [number | null, string | null]
  clearTimeout(late)
  return { session, played, id: agent.session.exec(output)?.[1], end: by ?? `code ${code}`, output }
}

function tryKill(group: number, name: NodeJS.Signals) {
  try {
    process.kill(group, name)
  } catch {
    // Nobody is left.
  }
}
