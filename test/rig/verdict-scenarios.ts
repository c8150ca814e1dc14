import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Act, Reply } from './model/script.ts'
import { doJobs, type Job } from './pipeline.ts'
import type { Place } from './place.ts'
import { done, tokens } from './replies.ts'
import type { Scenario, Session } from './scenarios.ts'
import { ciRows } from './verdict-ci.ts'
import { type Row, rows, type Step } from './verdict-rows.ts'

/** The scenario of a row. Agents without the tools of Conduct leave out claims. */
export const scenarioOf = (row: Row, only: string[]): Scenario => ({
  name: row.name,
  only,
  ...(row.steps.some(([kind]) => kind === 'ci') && { isServed: true }),
  prepare: (place) => prepare(row, place),
  sessions: (repository) => [sessionOf(row, repository)],
})

// The others play some of the rows: other-rows.ts.
export const verdictScenarios: Scenario[] = [...rows, ...ciRows].map((row) =>
  scenarioOf(row, row.only ?? ['claude', 'codex']),
)

function sessionOf(row: Row, repository: string): Session {
  const turns = turnsOf(row.steps)
  const jobsAfter = (place: Place, turn: number) =>
    place.server && doJobs(place, place.server, turns.at(turn)?.jobs ?? [])
  return {
    prompt: `Play ${row.name}.`,
    ends: 'well',
    next: turns.slice(1).map(() => 'Go on.'),
    ...(row.verdict && { verdict: row.verdict }),
    ...checksOf(row),
    ...(row.changes && { changes: row.changes }),
    between(place, resumption) {
      row.between?.(place)
      return jobsAfter(place, resumption - 1)
    },
    after: (place) => jobsAfter(place, -1),
    // Claims apart, all evidence is that of a recorder.
    figures: (place) => ({ ...(row.verdict && { evidence: row.evidence ?? 'executed' }), ...row.figures?.(place) }),
    script: {
      replies: turns.flatMap(({ steps }, index) => [
        ...repliesTo(steps, repository),
        done(index < turns.length - 1 ? 'So far.' : 'That was all.'),
      ]),
    },
  }
}

interface Turn {
  steps: Step[]
  jobs: Job[]
}

/** A turn ends where the row says so, and where others do something. */
function turnsOf(steps: Step[]): Turn[] {
  const turns: Turn[] = [{ steps: [], jobs: [] }]
  for (const step of steps) {
    const last = turns.at(-1) as Turn
    if (step[0] === 'ci') last.jobs.push(step[1] ?? {})
    else if (step[0] === 'ends') turns.push({ steps: [], jobs: [] })
    else if (last.jobs.length > 0) turns.push({ steps: [step], jobs: [] })
    else last.steps.push(step)
  }
  return turns
}

/** The checks of the row, or those of its rules and of others in order. */
function checksOf({ found, steps, checks }: Row): Pick<Session, 'checks'> {
  if (found)
    return {
      checks: found.map(([name, result, command, exitCode]) => ({
        name,
        result,
        ...(command !== undefined && { command, exitCode: exitCode ?? 0 }),
      })),
    }
  if (!steps.some(([kind]) => kind === 'ci')) return {}
  const rules = Object.entries(checks ?? { tests: 'npm test' })
  return {
    checks: steps.flatMap((step): NonNullable<Session['checks']> => {
      if (step[0] === 'ci') return checkOf(step[1] ?? {})
      if (step[0] !== 'run') return []
      const [, command, exitCode = 0] = step
      const name = rules.find(([, rule]) => rule === command)?.[0]
      return name === undefined ? [] : [{ name, result: exitCode === 0 ? 'pass' : 'fail', command, exitCode }]
    }),
  }
}

function checkOf({ name = 'tests', command = 'npm test', exits = 0, says, isLost, isRevoked }: Job) {
  if (isLost || isRevoked) return []
  if (says !== undefined) return [{ name, result: says, command: null, exitCode: null }]
  return [{ name, result: exits === 0 ? 'pass' : 'fail', command, exitCode: exits }]
}

/** Some agents edit only what they have read. */
function repliesTo(steps: Step[], repository: string): Reply[] {
  const known = new Set<string>()
  return steps.flatMap((step): Reply[] => {
    if (step[0] !== 'edit' || known.has(step[1])) return [replyTo(step, repository)]
    known.add(step[1])
    const path = join(repository, step[1])
    return [{ say: 'I look.', does: [{ do: 'read', path }], tokens: tokens(10, 100, 5, 7) }, replyTo(step, repository)]
  })
}

function replyTo([kind, ...words]: Step, repository: string): Reply {
  return { say: `I ${kind}.`, does: [actOf([kind, ...words] as Step, repository)], tokens: tokens(10, 100, 5, 7) }
}

function actOf(step: Step, repository: string): Act {
  if (step[0] === 'write') return { do: 'write', path: join(repository, step[1]), content: step[2] ?? 'One line.\n' }
  if (step[0] === 'edit') return { do: 'edit', path: join(repository, step[1]), from: step[2], to: step[3] }
  if (step[0] === 'run')
    return { do: 'shell', command: step[1], exits: step[2] ?? 0, ...(step[3] && { input: step[3](repository) }) }
  const [, name = '', command] = step
  const input = { name, result: 'pass', ...(command !== undefined && { command, exitCode: 0 }) }
  return { do: 'ledger', tool: 'record_check', input }
}

/** Commits the project of the row as part of the setup, so that the session begins on a clean commit. */
function prepare(row: Row, place: Place) {
  const { repository, home, write, git } = place
  // Login shells, in which Codex runs commands, reset the PATH.
  write(home, { '.bash_profile': `export PATH='${place.env.PATH}'\n` })
  const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
  Object.assign(manifest, row.more, row.scripts && { scripts: row.scripts })
  const { checks = { tests: 'npm test' }, required } = row
  const rules = { project: 'greetings', ...(checks && { checks }), ...(required && { required }) }
  write(repository, {
    'package.json': `${JSON.stringify(manifest)}\n`,
    'conduct.json': `${JSON.stringify(rules)}\n`,
    ...row.files,
  })
  git('add', '-A')
  git('commit', '-q', '--amend', '--no-edit')
  row.prepare?.(place)
}
