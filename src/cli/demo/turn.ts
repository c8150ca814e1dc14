import type { Input } from '../../client/client.ts'
import type { Part } from './data.ts'
import { minute } from './step.ts'

type Turn = Omit<Input<'appendTurn'>, 'runId'>
type Usage = Turn['usage']

const testOf = ({ file }: Part) => `npm test -- ${file}`

/** The first half of the work: a failing test and the start of a change. */
export function firstTurn(title: string, part: Part, at: number, minutes: number): Turn {
  const [first] = part.files
  const { startedAt, endedAt } = timesOf(at, minutes)
  return {
    startedAt,
    endedAt,
    prompt: `${title}.\n\nAdd a failing test first. Run lint and types before you finish.`,
    plan: planOf(part, 2),
    files: [{ path: part.file + first, insertions: 14, deletions: 2 }],
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
export function lastTurn(
  part: Part,
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
    prompt: 'Looks good, go ahead and finish it.',
    plan: planOf(part, 4),
    files: others.map((name, index) => ({
      path: part.file + name,
      insertions: Math.ceil(insertions / 2 ** (index + 1)),
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

function planOf({ file }: Part, done: number): Turn['plan'] {
  const items = [
    `Read \`${file}\` and its tests`,
    'Write a failing test',
    'Make the change',
    'Run tests, lint and types',
  ]
  return items.map((text, index) => ({
    text,
    status: index < done ? ('completed' as const) : index === done ? ('in_progress' as const) : ('pending' as const),
  }))
}
