import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RealAgent } from './agents/agent.ts'
import { aroundFigures, type Finding, figuresOf, findingsOf } from './expect.ts'
import { versionOf } from './install.ts'
import { type Model, startModel } from './model/server.ts'
import { startServer } from './pipeline.ts'
import { freshPlace, type Place } from './place.ts'
import { type Recorded, recordsOf } from './records.ts'
import { type Ran, runAgent } from './run.ts'
import type { Scenario, Session } from './scenarios.ts'
import { quoted } from './typing.ts'
import { startWatch } from './watch.ts'

/** The result of one scenario with one agent. */
export interface Outcome {
  agent: RealAgent
  version: string
  scenario: string
  kind: 'as scripted' | 'differs' | 'not tried'
  /** Differences and limits. */
  findings: Finding[]
  /** Why it was not tried, or where its folder is. */
  note?: string
}

interface Programs {
  /** The folder of `conduct`. */
  conduct: string
  /** The folder of the agent's program, or the error of its installation. */
  installed: string | Error
  /** The same for an agent that this one starts. */
  inner?: string | Error | undefined
  /** Keeps the place. */
  keep: boolean
}

/** Plays one scenario with one agent in a place of its own, and compares the recorded runs with the script. */
export async function tryScenario(agent: RealAgent, scenario: Scenario, programs: Programs): Promise<Outcome> {
  const { conduct, installed, inner = [], keep } = programs
  const head = { agent, scenario: scenario.name }
  if (installed instanceof Error) return { ...head, ...notTried(agent.version, installed) }
  if (inner instanceof Error) return { ...head, ...notTried(agent.version, inner) }
  const version = versionOf(installed, agent.packageName)
  const place = freshPlace([conduct, installed, inner].flat(), scenario.setUp)
  const fault = place.fault(agent.name, '--version')
  if (fault) {
    place.remove()
    return { ...head, ...notTried(version, fault) }
  }
  const { ran, records, missed } = await played(agent, scenario, place)
  const findings = [...missed, ...compared(scenario, place, ran, records)]
  const differs = findings.some(({ limit }) => limit === undefined)
  if (keep || differs)
    writeFileSync(join(place.folder, 'records.json'), JSON.stringify({ findings, ran, records }, null, 2))
  else place.remove()
  return {
    ...head,
    version,
    kind: differs ? 'differs' : 'as scripted',
    findings,
    ...((keep || differs) && { note: place.folder }),
  }
}

const notTried = (version: string, { message }: Error) => ({
  version,
  kind: 'not tried' as const,
  findings: [],
  note: message.split('\n').filter(Boolean).slice(0, 3).join(' '),
})

async function played(agent: RealAgent, scenario: Scenario, place: Place) {
  const { isWatched } = scenario
  const model = await startModel(isWatched && { pace: 1_000 })
  const watch = isWatched && (await startWatch(place))
  if (scenario.isServed) place.server = await startServer(place)
  try {
    const within: Ran[] = []
    const inner = scenario.inner?.(agent) ?? agent
    const sessions = scenario.sessions(place.repository, agent, (session) => {
      const { ran, command } = startedWithin(inner, place, model, session)
      within.push(ran)
      return command
    })
    const nameOf = (index: number) => `session-${index + 1}`
    const url = model.urlOf(nameOf(0))
    place.write(place.home, agent.configure({ home: place.home, repository: place.repository, url }))
    scenario.prepare?.(place, agent)
    const run = (session: Session, index: number, before?: Ran) =>
      runAgent(agent, place, model, nameOf(index), session, scenario.refuses === true, before)
    const ran =
      agent.startsAlone || sessions.some(({ forks }) => forks)
        ? await inTurn(sessions, run)
        : await Promise.all(sessions.map((session, index) => run(session, index)))
    for (const { session } of ran) await session.after?.(place)
    const missed = (watch && ran[0] && (await watch.findings(ran[0]))) ?? []
    const all = [...ran, ...within]
    return { ran: all, records: await recordsOf(place, all.length), missed }
  } finally {
    await watch?.close()
    await place.server?.close()
    await model.close()
  }
}

/** A session that a command of another session starts, and that command, which sets the environment of the agent. */
function startedWithin(agent: RealAgent, place: Place, model: Model, session: Session): { ran: Ran; command: string } {
  const played = model.play('inner', session.script)
  const url = model.urlOf('inner')
  const { home, repository } = place
  place.write(home, agent.configure({ home, repository, url }))
  const words = agent.args({ prompt: session.prompt, url, model: agent.model, refuses: false, resumes: undefined })
  const env = { PATH: String(place.env.PATH), ...agent.env(url, false) }
  const lines = [
    ...Object.entries(env).map(([name, value]) => `export ${name}=${quoted(value)}`),
    // Claude Code does not start inside itself, unless the user removes this variable.
    'unset CLAUDECODE',
    `exec ${[agent.name, ...words].map(quoted).join(' ')} </dev/null >${home}/inner.log 2>&1`,
  ]
  place.write(home, { 'inner.sh': `${lines.join('\n')}\n` })
  return { ran: { agent, session, played, id: undefined, end: 'code 0', output: '' }, command: `sh ${home}/inner.sh` }
}

async function inTurn(
  sessions: Session[],
  run: (session: Session, index: number, before?: Ran) => Promise<Ran>,
): Promise<Ran[]> {
  const ran: Ran[] = []
  for (const [index, session] of sessions.entries()) ran.push(await run(session, index, ran.at(-1)))
  return ran
}

/** Compares each session with its run. There must be one run per session, which names the session. */
function compared({ name }: Scenario, place: Place, ran: Ran[], records: Recorded[]): Finding[] {
  const around = ran.filter(({ session }) => session.around).length
  const findings: Finding[] =
    records.length === ran.length + around
      ? []
      : [{ name: 'runs', scripted: ran.length + around, recorded: records.length }]
  for (const one of ran) {
    // If there is only one session, the run must be its own, even if its output does not name the session.
    const own = records.find((record) => isOf(record, one)) ?? (ran.length === 1 ? records[0] : undefined)
    if (!own) findings.push({ name: 'run of the session', scripted: one.id, recorded: null })
    else
      findings.push(
        ...findingsOf(
          one.agent,
          name,
          figuresOf(one.agent, one.session.tree ? place.beside(one.session.tree) : place, one, own),
        ),
      )
    findings.push(...findingsOf(one.agent, name, aroundFigures(one, records)))
    const others = ran.filter((other) => other !== one).flatMap(({ session }) => session.words ?? [])
    const foreign = others.filter((words) => own?.text.includes(words))
    if (foreign.length > 0) findings.push({ name: 'words of another session', scripted: [], recorded: foreign })
  }
  return findings
}

/** The output of an inner agent is not available, so its run is found by title. */
const isOf = ({ run }: Recorded, { id, session }: Ran) =>
  id === undefined ? run.title === session.prompt : run.where?.session === id
