import { type Attempt, attemptSteps, type DemoOutcome } from './attempt.ts'
import { type Agent, type Chance, chanceOf, jobs, type ProductPart, parts, people, repository } from './data.ts'
import { type Live, liveSteps } from './going.ts'
import { otherSpecs, type SpecPlan, specs } from './specs.ts'
import { type DemoStep, day, hour, minute, specText, type Task, type Team } from './step.ts'
import { firstDoubleBooking, troubleSteps } from './trouble.ts'

export interface Story {
  /** When the team starts work, in milliseconds from now. */
  begins: number
  /** In chronological order. */
  steps: DemoStep[]
  /** Filled by the steps. */
  live: Live[]
}

const liveMinutes = [41, 18, 7, 2]
const pendingTasks = 3
/** The last failures are not fixed yet: those of the last so many tasks. */
const unsettledTasks = 10

/** The outcomes of tasks, in turn. */
const rounds: DemoOutcome[][] = [
  ['verified', 'verified', 'failing', 'verified', 'verified', 'warned', 'verified', 'failed'],
  ['verified', 'verified', 'lapsed', 'verified', 'verified', 'verified', 'stale', 'verified'],
  ['verified', 'warned', 'verified', 'failed', 'verified', 'verified', 'unchecked', 'verified'],
]
const outcomes = rounds.flat()

/** Who does the tasks, in turn. The number differs from that of the outcomes, so everyone meets every outcome. */
const turns: Agent[] = ['claude-code', 'claude-code', 'codex', 'claude-code', 'cursor', 'codex', 'claude-code']
const agentOf = (turn: number) => turns[turn % turns.length] as Agent

/** The working days of the month, as days ago. Two of seven are free. */
const workdays = Array.from({ length: 30 }, (_, at) => 29 - at).filter((ago) => ago % 7 !== 2 && ago % 7 !== 3)

/** The time at that share (0 to 1) of the month's working hours. */
function workingTime(share: number): number {
  const at = share * workdays.length
  const ago = workdays[Math.floor(at)] as number
  return -ago * day - 100 * minute - (1 - (at % 1)) * 8 * hour
}

/** A month of the team's work. It is the same every time, except that it ends now. */
export function storyOf(): Story {
  const chance = chanceOf(7)
  const tasks = tasksInOrder(chance)
  const past = tasks.splice(0, tasks.length - liveMinutes.length - pendingTasks)
  const live: Live[] = []
  const lastNight = { runId: '' }
  const steps = [
    ...nightlySteps(chance, lastNight),
    ...troubleSteps(chance, lastNight),
    ...otherSpecs.map((spec) => specStep(spec, -28 * day, spec.status)),
  ]
  for (const [turn, task] of past.entries()) {
    const at = workingTime((turn + 0.9) / past.length)
    const isFirst = past.findIndex(({ spec }) => spec === task.spec) === turn
    if (isFirst && task.spec) steps.push(specStep(task.spec, at - day, 'pending'))
    const attempt: Attempt = {
      ...task,
      at,
      turn,
      agent: agentOf(turn),
      outcome: outcomes[turn % outcomes.length] as DemoOutcome,
    }
    steps.push(...attemptSteps(attempt, turn < past.length - unsettledTasks, chance))
  }
  for (const [turn, minutes] of liveMinutes.entries())
    steps.push(...liveSteps(tasks[turn] as Task, agentOf(turn + 1), minutes, live, chance))
  for (const task of tasks.slice(liveMinutes.length)) steps.push(pendingStep(task))
  return { begins: -31 * day, steps: steps.sort((a, b) => a.at - b.at), live }
}

/** The tasks of all specs. Specs start one after another, and several are in progress at any time. */
function tasksInOrder(chance: Chance): Task[] {
  const ordered = specs.flatMap((spec, at) => {
    const task = { spec, part: partOf(spec), done: new Set<string>() }
    return spec.tasks.map((title, n) => ({ task: { ...task, title }, order: at + n * 0.8 + chance.between(0, 9) / 10 }))
  })
  return ordered.sort((a, b) => a.order - b.order).map(({ task }) => task)
}

const partOf = ({ specId }: SpecPlan) => parts[specId.split('-')[0] as string] as ProductPart

function specStep(spec: SpecPlan, at: number, status: 'pending' | 'draft' | 'archived'): DemoStep {
  const author = people[spec.specId.charCodeAt(0) % people.length] as (typeof people)[number]
  const { specId } = spec
  const act = (team: Team) =>
    team[author].createSpec({ specId, status, agent: author, content: specText(spec, new Set()) })
  return { at, act }
}

const pendingStep = (task: Task): DemoStep => ({
  at: -30 * minute,
  act: (team) =>
    team.ada.createRun({
      title: task.title,
      specId: task.spec?.specId,
      labels: { area: task.part.name },
      content: `# ${task.title}\n\nNext, once somebody is free.\n`,
    }),
})

/** What CI does each night: a run without a spec that CI itself checks. */
function nightlySteps(chance: Chance, lastNight: { runId: string }): DemoStep[] {
  return Array.from({ length: 30 }, (_, at) => 29 - at).flatMap((ago) => {
    const it = ago === 0 ? lastNight : { runId: '' }
    const begins = -ago * day - 11 * hour
    const result = ago === firstDoubleBooking || ago === 0 ? 'fail' : ago === 9 ? 'warn' : 'pass'
    const commit = chance.hex(40)
    const durationMs = chance.between(900, 1500) * 1000
    const create = async ({ ci }: Team) => {
      const { run } = await ci.createRun({
        title: 'Nightly end-to-end tests',
        agent: 'ci',
        status: 'in_progress',
        labels: { kind: 'nightly' },
        where: { host: 'runner-2', cwd: '/builds/harbor' },
        git: { repository, branch: 'main', commit, dirty: false },
        links: [{ rel: 'job', href: `${jobs}/${9000 - ago}` }],
        command: 'npm run e2e',
        contentType: 'text/x-terminal',
        content: outputOf(result),
      })
      it.runId = run.runId
    }
    const end = async ({ ci }: Team) => {
      const exitCode = result === 'fail' ? 1 : 0
      await ci.updateRun({ runId: it.runId, status: 'completed', exitCode })
      await ci.createCheck({
        runId: it.runId,
        name: 'e2e',
        agent: 'ci',
        result,
        command: 'npm run e2e',
        exitCode,
        durationMs,
        commit,
      })
    }
    return [
      { at: begins, act: create },
      { at: begins + durationMs, act: end },
    ]
  })
}

const pages = ['booking', 'calendar', 'payments', 'login', 'search', 'mail']
const colour = (code: number, text: string) => `\x1b[${code}m${text}\x1b[0m`

/** The output of the end-to-end tests, in colour. */
function outputOf(result: 'pass' | 'warn' | 'fail'): string {
  const tests = Array.from({ length: 312 }, (_, at) => {
    const page = pages[at % pages.length]
    const isOdd = at === 213
    const mark =
      isOdd && result === 'fail' ? colour(31, '✖') : isOdd && result === 'warn' ? colour(33, '↻') : colour(32, '✔')
    const details = isOdd && result === 'fail' ? assertion : ''
    const name = isOdd
      ? 'two guests book the same boat in the same second'
      : `case ${Math.floor(at / pages.length) + 1}`
    return `  ${mark} ${page} › ${name} ${colour(90, `(${400 + ((at * 37) % 900)} ms)`)}\n${details}`
  })
  const summary =
    result === 'fail'
      ? `${colour(31, '1 failed')}, 311 passed`
      : `${colour(32, '312 passed')}${result === 'warn' ? ', 1 flaky' : ''}`
  return `${colour(36, '> harbor e2e')}\n\n${tests.join('')}\n${summary}\n`
}

const assertion = `${colour(31, '    AssertionError: expected 1 booking, got 2')}\n        at test/e2e/booking.spec.ts:88:14\n`
