import { setTimeout as wait } from 'node:timers/promises'
import { ConductError } from '../../client/client.ts'
import { addTurn, firstTurn } from './attempt.ts'
import { type Agent, type Chance, chanceOf, type ProductPart } from './data.ts'
import { beginning, type DemoStep, lineOf, minute, type Task, type Team, usageOf } from './step.ts'

/** A run still in progress at the end of the story. */
export interface Live {
  runId: string
  leaseToken: string
  agent: Agent
  part: ProductPart
  minutes: number
}

/** The leases of runs that go on, in seconds. */
const liveLease = 6 * 3600
/** An unfinished run. Its lease lasts for some more hours. */
export function liveSteps(task: Task, agent: Agent, minutes: number, live: Live[], chance: Chance): DemoStep[] {
  const { part } = task
  const begun = beginning(task, agent, chance)
  const lines = Array.from({ length: 4 }, (_, at) => lineOf(part, Math.floor((minutes * at) / 4), chance)).join('')
  const usage = usageOf(agent, minutes, chance)
  const it: Live = { runId: '', leaseToken: '', agent, part, minutes }
  const create = async (team: Team) => {
    const { run, lease } = await team[agent].createRun({ ...begun, leaseSeconds: liveLease })
    live.push(Object.assign(it, { runId: run.runId, leaseToken: lease?.token ?? '' }))
  }
  const goOn = async (team: Team) => {
    const { runId, leaseToken } = it
    const turn = firstTurn(task.title, part, -minutes * minute, Math.floor(minutes / 2))
    await addTurn(team[agent], { runId, leaseToken, ...turn, usage }, task.title)
    await team[agent].appendToRun({ runId, leaseToken, text: lines })
    const { open, sofar } = openTurnOf(part, minutes)
    await team[agent].appendTurn({ runId, leaseToken, open: true, ...open })
    await team[agent].heartbeat({ runId, leaseToken, activity: activityOf(part, minutes), turn: sofar })
  }
  return [
    { at: -minutes * minute, act: create },
    { at: -2_000 * minutes ** 0.5, act: goOn },
  ]
}

/** The turn in progress: what was asked, and what was done so far. */
function openTurnOf({ file, files }: ProductPart, minutes: number) {
  const startedAt = new Date(Date.now() - (minutes * minute) / 2).toISOString()
  const [, second = ''] = files
  return {
    open: { startedAt, prompt: `Go on with \`${file}\`, and keep the tests of its neighbors as they are.` },
    sofar: {
      files: [{ path: file + second, insertions: 3 * minutes, deletions: minutes % 5 }],
      tools: [
        { name: 'Read', count: 4 },
        { name: 'Edit', count: 2 },
      ],
      commands: [{ command: `npm test -- ${file}`, exitCode: minutes % 2, durationMs: 6400 }],
    },
  }
}

/** Two wait for a person, the others work. */
function activityOf({ file, files }: ProductPart, minutes: number) {
  if (minutes === 18)
    return { state: 'waiting' as const, tool: 'Bash', target: 'npm run migrate -- --database staging' }
  if (minutes === 41) return { state: 'waiting' as const, tool: 'Bash', target: 'git push --force-with-lease' }
  return { state: 'working' as const, tool: 'Edit', target: file + files[minutes % files.length] }
}

const everyMs = 2_000

/** Writes to the runs in turn until Ctrl-C (exit code 130), or until other people have ended them all. */
export async function goOn(team: Team, live: Live[]) {
  const end = new AbortController()
  process.once('SIGINT', () => end.abort())
  process.stderr.write('Writing on, until Ctrl-C.\n')
  const chance = chanceOf(11)
  const began = Date.now()
  for (let open = live; open.length > 0; ) {
    await wait(everyMs, undefined, { signal: end.signal }).catch(() => {})
    if (end.signal.aborted) {
      process.exitCode = 130
      return
    }
    const [one, ...others] = open as [Live, ...Live[]]
    const { agent, runId, leaseToken, part, minutes } = one
    const text = lineOf(part, minutes + Math.floor((Date.now() - began) / minute), chance)
    const isOpen = await team[agent].appendToRun({ runId, leaseToken, text }).then(
      () => true,
      (error) => isEnded(runId, error),
    )
    open = isOpen ? [...others, one] : others
  }
}

/** A visitor may end a run from the dashboard. Then we stop writing to it. */
function isEnded(runId: string, error: unknown): false {
  if (!(error instanceof ConductError) || error.code === 'UNAVAILABLE') throw error
  process.stderr.write(`No more of ${runId}: ${error.message}\n`)
  return false
}
