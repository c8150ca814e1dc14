import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Act, Reply } from './model/script.ts'
import type { Place } from './place.ts'
import { done, tokens } from './replies.ts'
import type { Scenario } from './scenarios.ts'
import { type Row, rows, type Step } from './verdict-rows.ts'

/** A scenario for each row. Agents without the tools of Conduct leave out claims. */
export const verdictScenarios: Scenario[] = rows.map((row) => ({
  name: row.name,
  // The others were not played.
  only: row.only ?? ['claude', 'codex'],
  prepare: (place) => prepare(row, place),
  sessions: (repository) => [
    {
      prompt: `Play ${row.name}.`,
      ends: 'well',
      ...(row.steps.some(([kind]) => kind === 'ends') && { next: ['Go on.'] }),
      ...(row.verdict && { verdict: row.verdict }),
      ...(row.found && {
        checks: row.found.map(([name, result, command, exitCode]) => ({
          name,
          result,
          ...(command !== undefined && { command, exitCode: exitCode ?? 0 }),
        })),
      }),
      ...(row.changes && { changes: row.changes }),
      ...(row.between && { between: row.between }),
      // Claims apart, all evidence is that of a recorder.
      figures: (place) => ({ ...(row.verdict && { evidence: 'executed' }), ...row.figures?.(place) }),
      script: { replies: [...repliesTo(row.steps, repository), done('That was all.')] },
    },
  ],
}))

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
  if (kind === 'ends') return done('So far.')
  return { say: `I ${kind}.`, does: [actOf([kind, ...words] as Step, repository)], tokens: tokens(10, 100, 5, 7) }
}

function actOf(step: Step, repository: string): Act {
  if (step[0] === 'write') return { do: 'write', path: join(repository, step[1]), content: step[2] ?? 'One line.\n' }
  if (step[0] === 'edit') return { do: 'edit', path: join(repository, step[1]), from: step[2], to: step[3] }
  if (step[0] === 'run') return { do: 'shell', command: step[1], exits: step[2] ?? 0 }
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
