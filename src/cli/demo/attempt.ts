import type { Client, Input } from '../../client/client.ts'
import {
  type Agent,
  type Chance,
  failures,
  findings,
  goAheads,
  jobs,
  type ProductPart,
  people,
  question,
  remarks,
  repository,
  type TeamMember,
} from './data.ts'
import { diffsOf } from './diff.ts'
import type { SpecPlan } from './specs.ts'
import {
  beginning,
  closing,
  type DemoStep,
  firstInsertions,
  hour,
  insertionsOf,
  minute,
  specText,
  type Task,
  type Team,
  usageOf,
} from './step.ts'

export type DemoOutcome = 'verified' | 'warned' | 'failing' | 'stale' | 'unchecked' | 'failed' | 'lapsed'

export interface Attempt extends Task {
  at: number
  agent: Agent
  outcome: DemoOutcome
  /** Why it fails, if it does; by default one of the usual reasons. */
  failure?: (typeof failures)[number]
  /** Selects one of several ways to the same outcome. */
  turn: number
  retried?: { runId: string }
  /** Gets the id of the run. */
  made?: DemoRun
}

/** A run, and the token of its recorder if that sees its tests. */
interface DemoRun {
  runId: string
  leaseToken?: string | undefined
}

/** How an agent checks its own work, without CI: by a review, or by tests that its recorder sees. */
const ownCheckOf = ({ outcome, turn }: Attempt) =>
  outcome !== 'verified' ? undefined : ({ 8: 'review', 3: 'tests' } as const)[turn % 11]
const seesTests = (attempt: Attempt) => ownCheckOf(attempt) === 'tests'

/** One attempt, from its start to its checks. If it fails and `isSettled`, a second one succeeds. */
export function attemptSteps(attempt: Attempt, isSettled: boolean, chance: Chance): DemoStep[] {
  const { at, agent, outcome, part, retried } = attempt
  const minutes = chance.between(6, 48)
  const end = at + minutes * minute
  const it = attempt.made ?? { runId: '' }
  const begun = beginning(attempt, agent, chance)
  const create = async (team: Team) => {
    const more = { ...(retried && { retryOf: retried.runId }), ...(outcome === 'lapsed' && { leaseSeconds: 600 }) }
    const sees = seesTests(attempt) && { leaseSeconds: 600 }
    const { run, lease } = await team[agent].createRun({ status: 'in_progress', ...begun, ...more, ...sees })
    it.runId = run.runId
    if (!sees) return
    // It stays the token of the recorder.
    it.leaseToken = lease?.token
    await team[agent].updateRun({ runId: it.runId, leaseSeconds: 0, leaseToken: it.leaseToken })
  }
  const append = (team: Team) =>
    addTurn(
      team[agent],
      { runId: it.runId, ...firstTurn(attempt.title, part, at, Math.floor(minutes / 2)) },
      attempt.title,
    )
  const steps: DemoStep[] = [{ at, act: create }]
  if (outcome === 'lapsed') steps.push({ at: at + hour, act: (team) => explainLapse(team.ada, it.runId, begun.labels) })
  else
    steps.push({ at: at + (minutes * minute) / 2, act: append }, ...endSteps(attempt, it, begun.git, minutes, chance))
  const hasFailed = outcome === 'failed' || outcome === 'failing' || outcome === 'lapsed'
  if (!hasFailed || !isSettled) return steps
  // Some second attempts fail, too.
  const next = outcome === 'failing' && !retried && attempt.turn % 48 === 2 ? 'failed' : 'verified'
  const later = end + hour + chance.between(20, 70) * minute
  return [
    ...steps,
    ...attemptSteps({ ...attempt, at: later, outcome: next, retried: it, made: { runId: '' } }, true, chance),
  ]
}

/** Reading a run whose lease has expired ends it. */
const explainLapse = (client: Client, runId: string, labels: Record<string, string>) =>
  client.updateRun({ runId, labels: { ...labels, lost: 'laptop-asleep' } })

type Git = ReturnType<typeof beginning>['git']

/** The end of a run after that many minutes, and its checks. */
function endSteps(attempt: Attempt, it: DemoRun, before: Git, minutes: number, chance: Chance): DemoStep[] {
  const { agent, outcome, title, part, turn, retried, spec } = attempt
  const end = attempt.at + minutes * minute
  const usage = usageOf(agent, minutes, chance)
  if (outcome === 'failed') {
    const failure = attempt.failure ?? chance.pick(failures)
    return [{ at: end, act: (team) => team[agent].updateRun({ runId: it.runId, status: 'failed', failure, usage }) }]
  }
  const insertions = chance.between(12, 240)
  const git = { ...before, commit: chance.hex(40) }
  const number = 400 + turn * 2 + (retried ? 1 : 0)
  const links = [
    { rel: 'pull-request', href: `${repository}/pull/${number}` },
    { rel: 'job', href: `${jobs}/${number * 7}` },
  ]
  const prompt = chance.pick(goAheads)
  const answer = closing(title, part, insertions, chance.pick(remarks)) + (outcome === 'unchecked' ? question : '')
  const complete = async (team: Team) => {
    const { runId } = it
    const half = Math.floor(minutes / 2)
    const turn = { ...lastTurn(part, insertions, end - half * minute, half, usage, answer), prompt }
    await addTurn(team[agent], { runId, ...turn }, title)
    await team[agent].updateRun({ runId, status: 'completed', git, links })
    const { name, file, description } = part
    await team[agent].linkFeatures({ runId, features: [{ name, file, description }] })
  }
  const steps: DemoStep[] = [{ at: end, act: complete }, ...checkSteps(attempt, it, git.commit, end, chance)]
  if (outcome !== 'failing' && spec) steps.push({ at: end + 13 * minute, act: (team) => tick(team, attempt, spec) })
  const amended = { ...git, commit: chance.hex(40) }
  if (outcome === 'stale')
    steps.push({ at: end + 25 * minute, act: (team) => team[agent].updateRun({ runId: it.runId, git: amended }) })
  return steps
}

/** Ticks the item of the spec. */
function tick(team: Team, { title, done }: Task, spec: SpecPlan) {
  done.add(title)
  const status = done.size === spec.tasks.length ? 'completed' : 'in_progress'
  return team.mateo.updateSpec({ specId: spec.specId, status, content: specText(spec, done) })
}

/** The checks that give a run its verdict: by CI and a person, by the agent itself, or none. */
function checkSteps(attempt: Attempt, it: DemoRun, commit: string, end: number, chance: Chance): DemoStep[] {
  const { agent, outcome, turn } = attempt
  if (outcome === 'unchecked') return []
  const check = (
    by: TeamMember,
    name: string,
    after: number,
    fields: Omit<CheckFields, 'runId' | 'name'>,
  ): DemoStep => ({
    at: end + after * minute,
    act: (team) => team[by].createCheck({ runId: it.runId, name, agent: by, commit, ...fields }),
  })
  const executed = (command: string, exitCode = 0) => ({ command, exitCode, durationMs: chance.between(4, 90) * 1000 })
  const own = ownCheckOf(attempt)
  if (own === 'review') return [check(agent, 'self-review', 1, { result: 'pass', ...findings.review })]
  if (own === 'tests') {
    const act = (team: Team) =>
      team[agent].createCheck({
        ...{ ...it, name: 'tests', agent, commit, result: 'pass', recorder: 'hook' },
        ...executed('npm test'),
      })
    return [{ at: end + minute, act }]
  }
  const tests: DemoStep =
    outcome === 'failing'
      ? // Before lint passes, which alone would verify the run.
        check('ci', 'tests', 2, { result: 'fail', ...findings.fail, ...executed('npm test', 1) })
      : check('ci', 'tests', 4, { result: 'pass', ...executed('npm test') })
  const steps = [check('ci', 'lint', 3, { result: 'pass', ...executed('npm run lint') }), tests]
  if (outcome === 'warned')
    steps.push(check('ci', 'bundle', 5, { result: 'warn', ...findings.warn, ...executed('npm run size') }))
  if (turn % 2 === 0 && outcome !== 'failing') {
    const reviewer = people[turn % people.length] as (typeof people)[number]
    steps.push(check(reviewer, 'review', 12, { result: 'pass', ...findings.review }))
  }
  return steps
}

type CheckFields = Parameters<Client['createCheck']>[0]

type Turn = Omit<Input<'appendTurn'>, 'runId'>
type Usage = Turn['usage']

const testOf = ({ file }: ProductPart) => `npm test -- ${file}`

/** Adds a turn of a run with that title, and what it wrote. */
export async function addTurn(client: Client, input: Input<'appendTurn'>, title: string): Promise<void> {
  const { runId, leaseToken } = input
  const { turn } = await client.appendTurn(input)
  await client.addDiffs({ runId, turn: turn.n, diffs: diffsOf(input.files, title), ...(leaseToken && { leaseToken }) })
}

/** The first half of the work: a failing test and the start of a change. */
export function firstTurn(title: string, part: ProductPart, at: number, minutes: number): Turn {
  const [first] = part.files
  const { startedAt, endedAt } = timesOf(at, minutes)
  return {
    startedAt,
    endedAt,
    prompt: `${title}.\n\nAdd a failing test first. Run lint and types before you finish.`,
    plan: planOf(part, 2),
    files: [{ path: part.file + first, insertions: firstInsertions, deletions: 2 }],
    tools: [
      { name: 'Read', count: 9 },
      { name: 'Edit', count: 3, failed: 1 },
      { name: 'Bash', count: 2 },
    ],
    commands: [
      { command: `git log --oneline -5 ${part.file}`, exitCode: 0, durationMs: 40 },
      { command: testOf(part), exitCode: 1, durationMs: 6200 },
    ],
    answer: `I added a test to \`${part.file}${first}\`; it fails as expected, because the behavior does not exist yet.\n\nNext, I will change the other files in \`${part.file}\` and run all tests.`,
  }
}

/** The second half, up to the end. */
function lastTurn(
  part: ProductPart,
  insertions: number,
  at: number,
  minutes: number,
  usage: Usage,
  answer: string,
): Turn {
  const [, ...others] = part.files
  const { startedAt, endedAt } = timesOf(at, minutes)
  return {
    startedAt,
    endedAt,
    plan: planOf(part, 4),
    files: others.map((name, index) => ({
      path: part.file + name,
      insertions: insertionsOf(insertions, index + 1),
      deletions: index,
    })),
    tools: [
      { name: 'Edit', count: 6 },
      { name: 'Bash', count: 3 },
    ],
    commands: [
      { command: testOf(part), exitCode: 0, durationMs: 7100 },
      { command: 'npm run lint', exitCode: 0, durationMs: 1900 },
      { command: 'npm run types', exitCode: 0, durationMs: 5400 },
    ],
    agents: [{ name: 'code-reviewer', turns: 1, tokens: 18_400 }],
    usage,
    answer,
  }
}

/** `at` is in milliseconds from now. */
const timesOf = (at: number, minutes: number) => ({
  startedAt: new Date(Date.now() + at).toISOString(),
  endedAt: new Date(Date.now() + at + minutes * minute).toISOString(),
})

function planOf({ file }: ProductPart, done: number): Turn['plan'] {
  const items = [`Read ${file} and its tests`, 'Write a failing test', 'Make the change', 'Run tests, lint and types']
  return items.map((text, index) => ({
    text,
    status: index < done ? ('completed' as const) : index === done ? ('in_progress' as const) : ('pending' as const),
  }))
}
