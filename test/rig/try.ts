import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RealAgent } from './agents/agent.ts'
import { type Finding, figuresOf, findingsOf } from './expect.ts'
import { versionOf } from './install.ts'
import { startModel } from './model/server.ts'
import { freshPlace, type Place } from './place.ts'
import { type Recorded, recordsOf } from './records.ts'
import { type Ran, runAgent } from './run.ts'
import type { Scenario, Session } from './scenarios.ts'

/** How one scenario went with one agent. */
export interface Outcome {
  agent: RealAgent
  version: string
  scenario: string
  kind: 'as scripted' | 'differs' | 'not tried'
  /** Differences and limits. */
  findings: Finding[]
  /** Why it was not tried, or where to look. */
  note?: string
}

export interface Programs {
  /** The folder of `conduct`. */
  conduct: string
  /** The folder of the agent's program, or why there is none. */
  installed: string | Error
  /** Leaves the place. */
  keep: boolean
}

/** Plays one scenario with one agent in a place of its own, and compares what was recorded with the script. */
export async function tryScenario(agent: RealAgent, scenario: Scenario, programs: Programs): Promise<Outcome> {
  const { conduct, installed, keep } = programs
  const head = { agent, scenario: scenario.name }
  if (installed instanceof Error) return { ...head, ...notTried(agent.version, installed) }
  const version = versionOf(installed, agent.packageName)
  const place = freshPlace([conduct, installed], scenario.setUp)
  const fault = place.fault(agent.name, '--version')
  if (fault) {
    place.remove()
    return { ...head, ...notTried(version, fault) }
  }
  const { ran, records } = await played(agent, scenario, place)
  const findings = compared(agent, scenario, place, ran, records)
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
  const model = await startModel()
  try {
    const sessions = scenario.sessions(place.repository, agent)
    const nameOf = (index: number) => `session-${index + 1}`
    const url = model.urlOf(nameOf(0))
    place.write(place.home, agent.configure({ home: place.home, repository: place.repository, url }))
    scenario.prepare?.(place, agent)
    const run = (session: Session, index: number) =>
      runAgent(agent, place, model, nameOf(index), session, scenario.refuses === true)
    const ran = agent.startsAlone ? await inTurn(sessions, run) : await Promise.all(sessions.map(run))
    return { ran, records: await recordsOf(place) }
  } finally {
    await model.close()
  }
}

async function inTurn(sessions: Session[], run: (session: Session, index: number) => Promise<Ran>): Promise<Ran[]> {
  const ran: Ran[] = []
  for (const [index, session] of sessions.entries()) ran.push(await run(session, index))
  return ran
}

/** Each session has one run, which is the one that names it. */
function compared(agent: RealAgent, { name }: Scenario, place: Place, ran: Ran[], records: Recorded[]): Finding[] {
  const findings: Finding[] =
    records.length === ran.length ? [] : [{ name: 'runs', scripted: ran.length, recorded: records.length }]
  for (const one of ran) {
    // Where one session alone ran, the run must be its own, whether or not its output says which session it was.
    const own = records.find(({ run }) => run.where?.session === one.id) ?? (ran.length === 1 ? records[0] : undefined)
    if (!own) findings.push({ name: 'run of the session', scripted: one.id, recorded: null })
    else
      findings.push(
        ...findingsOf(
          agent,
          name,
          figuresOf(agent, one.session.tree ? place.beside(one.session.tree) : place, one, own),
        ),
      )
    const others = ran.filter((other) => other !== one).flatMap(({ session }) => session.words ?? [])
    const foreign = others.filter((words) => own?.text.includes(words))
    if (foreign.length > 0) findings.push({ name: 'words of another session', scripted: [], recorded: foreign })
  }
  return findings
}
