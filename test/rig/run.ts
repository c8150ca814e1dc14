import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { setTimeout as after } from 'node:timers/promises'
import type { RealAgent } from './agents/agent.ts'
import type { Played } from './model/play.ts'
import type { Model } from './model/server.ts'
import type { Place } from './place.ts'
import type { Session } from './scenarios.ts'
import { atTerminal, types } from './typing.ts'

/** The result of a session of a real agent. */
export interface Ran {
  agent: RealAgent
  session: Session
  played: Played
  /** Its own id, if its output contains it. */
  id: string | undefined
  /** `code 0`, `SIGKILL`. */
  end: string
  output: string
}

/** A session is killed after that many milliseconds. */
const limit = 180_000
/** How long after the model's request hangs Ctrl-C or the kill follows, in milliseconds. */
const thought = 1_500

/** Runs one session of an agent in that place, without a terminal, and resumes it for each further prompt. */
export async function runAgent(
  agent: RealAgent,
  place: Place,
  model: Model,
  name: string,
  session: Session,
  refuses: boolean,
  before?: Ran,
): Promise<Ran> {
  const played = model.play(name, session.script)
  const url = model.urlOf(name)
  const ran: Ran = { agent, session, played, id: undefined, end: '', output: '' }
  for (const [index, prompt] of [session.prompt, ...(session.next ?? [])].entries()) {
    if (index > 0) {
      played.goOn()
      await session.between?.(place, index)
    }
    const words = agent.args({
      prompt,
      url,
      model: agent.model,
      refuses,
      resumes: ran.id,
      forks: session.forks && before?.id,
      reviews: session.reviews,
      contextTokens: session.contextTokens,
      isTyped: isTyped(session),
    })
    const command = [...(session.around?.command ?? []), agent.name, ...words]
    const { end, output } = await runOnce(
      isTyped(session) && !agent.typed ? atTerminal(command) : command,
      { ...place.env, ...agent.env(url, refuses) },
      place,
      ran,
    )
    Object.assign(ran, { end, output: ran.output + output, id: ran.id ?? agent.session.exec(output)?.[1] })
  }
  return ran
}

const isTyped = ({ script }: Session) => script.replies.some(({ types }) => types !== undefined)

/** Runs one process of the session until it exits. */
async function runOnce(
  [program = '', ...words]: string[],
  env: Record<string, string>,
  { repository }: Place,
  { agent, session, played }: Ran,
) {
  const child = spawn(program, words, {
    cwd: session.folder ?? repository,
    env,
    // The agent gets a process group of its own, as in a terminal, so that Ctrl-C reaches all its processes.
    detached: true,
    stdio: [isTyped(session) ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  })
  if (isTyped(session)) types(child, agent, played, session.prompt)
  let output = ''
  for (const stream of [child.stdout, child.stderr] as Readable[])
    stream.setEncoding('utf8').on('data', (piece: string) => {
      output += piece
    })
  const signal = (name: NodeJS.Signals) => child.pid !== undefined && tryKill(-child.pid, name)
  const late = setTimeout(() => signal('SIGKILL'), limit)
  const end = session.ends === 'killed' ? 'SIGKILL' : 'SIGINT'
  played.hanging.then(() => after(thought)).then(() => signal(end))
  const [code, by] = (await once(child, 'exit')) as [number | null, string | null]
  clearTimeout(late)
  return { end: by ?? `code ${code}`, output }
}

function tryKill(group: number, name: NodeJS.Signals) {
  try {
    process.kill(group, name)
  } catch {
    // No process of the group is left.
  }
}
