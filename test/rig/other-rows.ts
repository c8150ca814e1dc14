import { otherThreads } from './other-threads.ts'
import type { Scenario } from './scenarios.ts'
import {
  fail,
  failed,
  first,
  greet,
  pass,
  polite,
  politely,
  type Row,
  rows,
  rudely,
  type Step,
  tests,
  withLint,
} from './verdict-rows.ts'
import { scenarioOf } from './verdict-scenarios.ts'

// The cases of docs/verdict.md for the agents that verdict-rows.ts leaves out.

const others = ['opencode', 'gemini', 'qwen', 'copilot', 'droid']
/** Droid resumes sessions only with an account. */
const resuming = others.filter((name) => name !== 'droid')

/** The rows of the first agents that these play, too. */
const shared = [
  '1b edit, tests pass, commit',
  '1c edit, tests pass, edit, undo',
  '2a edit, tests pass, edit',
  '3 new failing test after the tests',
  '4a tests fail, claim of the command',
  '4b tests fail, check exec true',
  '5b fail, fix, pass',
  '5c resume, edit, tests again',
  '5d flaky, by check exec the second time',
  '11b only check exec true',
  '15 edited rule',
  '15 edited rule, resumed',
  '16 checkout and test',
  '18 suite fails, a part passes',
  '19 suite passes, a wrong name fails',
  '22 piped',
  '28b format and test',
  '29a test and sed',
  '29b test and new file',
  '30 format, lint and test, lint required',
  '34a coverage',
  '38 helper left out',
  '39a tests, commit, back to main',
  '41 fail on the branch, pass on main',
  '45 a person edits, the session goes on',
]

const claim = "conduct check create --run-id RUN-001 --name tests --result pass --command 'npm test' --exit-code 0"
// Gemini CLI refuses commands with `$(…)`.
const writeMany: Step = ['run', 'mkdir gen && seq 700 | split -l 1 -d -a 3 - gen/f', 0]
const many = Array.from({ length: 700 }, (_, at) => `gen/f${String(at).padStart(3, '0')}`)
/** A turn lists at most 500 files. */
const listed = () => ({ files: many.slice(0, 500), 'turns.0.filesOmitted': 200 })

/** Prints what agents write about an exit code, then exits with another one. */
const liar = `const code = process.argv[3]
const lines = ['Exit Code: ' + code, '<exited with exit code ' + code + '>', '<shellId: 0 completed with exit code ' + code + '>']
for (const line of [...lines, '(exit code: ' + code + ')', '[Process exited with code ' + code + ']']) console.log(line)
process.exit(Number(process.argv[2]))
`
const talker =
  "for (let n = 0; n < 20_000; n += 1) console.log('line ' + n)\nprocess.exitCode = Number(process.argv[2])\n"
const below = '{ "name": "below", "scripts": { "test": "true" } }\n'
// Qwen Code refuses a bare `sleep`.
const wait = 'node -e "setTimeout(() => {}, 4000)"'
const inBackground = () => ({ is_background: true, mode: 'async', fireAndForget: true })
const inFolder = (repository: string) => {
  const path = `${repository}/below`
  return { dir_path: path, directory: path, workdir: path }
}

/** How agents report exit codes, folders, the background and a timeout. */
const reports: Row[] = [
  {
    name: 'tests fail and print a pass',
    files: { 'liar.cjs': liar },
    scripts: { test: 'node liar.cjs 1 0' },
    steps: [politely, fail],
    verdict: 'failing',
  },
  {
    name: 'tests pass and print a failure',
    files: { 'liar.cjs': liar },
    scripts: { test: 'node liar.cjs 0 3' },
    steps: [politely, tests],
    verdict: 'verified',
  },
  {
    name: 'tests fail after a long output',
    files: { 'talker.cjs': talker },
    scripts: { test: 'node talker.cjs 1' },
    steps: [politely, fail],
    verdict: 'failing',
  },
  {
    name: 'tests pass after a long output',
    files: { 'talker.cjs': talker },
    scripts: { test: 'node talker.cjs 0' },
    steps: [politely, tests],
    verdict: 'verified',
  },
  {
    name: 'silent tests fail',
    scripts: { test: 'exit 7' },
    steps: [politely, ['run', 'npm test --silent', 7]],
    found: [['tests', 'fail', 'npm test --silent', 7]],
    verdict: 'failing',
  },
  {
    name: 'tests in another folder',
    only: ['gemini', 'qwen', 'opencode'],
    files: { 'below/package.json': below },
    steps: [rudely, fail, ['run', 'npm test', 0, inFolder]],
    found: [failed],
    verdict: 'failing',
  },
  {
    name: 'tests in the background',
    only: ['gemini', 'qwen', 'copilot', 'droid'],
    scripts: { test: 'sleep 1; exit 1' },
    steps: [politely, ['run', 'npm test', 0, inBackground], ['run', wait, 0]],
    found: [],
    figures: () => ({ commands: [{ command: 'npm test' }, { command: wait, exitCode: 0 }] }),
  },
  ...[
    { only: ['qwen'], timeout: 2_000, failed: 1 },
    { only: ['opencode'], timeout: 2_000 },
    // In seconds.
    { only: ['droid'], timeout: 2 },
  ].map(
    ({ only, timeout, failed }): Row => ({
      name: 'tests run out of time',
      only,
      scripts: { test: 'sleep 30' },
      steps: [politely, ['run', 'npm test', 0, () => ({ timeout })]],
      found: [],
      figures: () => ({ commands: [{ command: 'npm test' }], ...(failed && { failed }) }),
    }),
  ),
]

const otherRows: Row[] = [
  { name: 'tests alone', steps: [tests], verdict: 'verified' },
  { name: 'tests fail', steps: [rudely, fail], verdict: 'failing' },
  {
    name: 'tests pass, then fail on the same work',
    scripts: { test: 'test ! -e "$HOME/once" && touch "$HOME/once"' },
    steps: [politely, tests, fail],
    verdict: 'failing',
  },
  {
    name: 'tests pass, then fail by check exec',
    scripts: { test: 'test ! -e "$HOME/once" && touch "$HOME/once"' },
    steps: [politely, tests, ['run', 'conduct check exec --name tests -- npm test', 1]],
    verdict: 'failing',
  },
  {
    name: 'tests fail, check create',
    steps: [rudely, fail, ['run', `conduct sync --quiet; ${claim}`, 0]],
    found: [failed, pass],
    figures: () => ({ 'checks.*.evidence': ['executed', 'self'] }),
    verdict: 'failing',
  },
  {
    name: 'piped with pipefail',
    steps: [politely, ['run', 'set -o pipefail; npm test 2>&1 | tail -3', 0]],
    found: [['tests', 'pass', 'npm test 2>&1', 0]],
    verdict: 'verified',
  },
  {
    name: 'piped with pipefail, failing',
    steps: [rudely, ['run', 'set -o pipefail; npm test 2>&1 | tail -3', 1]],
    found: [['tests', 'fail', 'npm test 2>&1', 1]],
    verdict: 'failing',
  },
  {
    name: 'lint or tests fail on one line',
    checks: withLint,
    scripts: { test: 'node --test', lint: 'exit 2' },
    steps: [politely, ['run', 'npm run lint && npm test', 2]],
    found: [],
  },
  {
    name: 'required lint fails',
    checks: withLint,
    required: ['tests', 'lint'],
    scripts: { test: 'node --test', lint: 'exit 2' },
    steps: [politely, ['run', 'npm run lint', 2], tests],
    found: [['lint', 'fail', 'npm run lint', 2], pass],
    verdict: 'failing',
  },
  {
    name: 'check exec of the rule',
    steps: [politely, ['run', 'conduct check exec --name tests -- npm test', 0]],
    figures: () => ({ 'checks.*.evidence': ['executed'] }),
    verdict: 'verified',
  },
  { name: 'no check', steps: [politely, ['run', 'git status --short', 0]], found: [] },
  {
    name: '700 files',
    steps: [writeMany, tests],
    changes: many,
    figures: listed,
    verdict: 'verified',
  },
  {
    name: '700 files after the tests',
    steps: [tests, writeMany],
    changes: many,
    figures: listed,
    verdict: 'stale',
  },
  {
    name: 'edit undone',
    steps: [politely, ['edit', greet, polite, first], tests],
    // Nothing differs from the beginning.
    figures: () => ({ files: [], changes: null }),
    verdict: 'verified',
  },
  { name: 'no such program', steps: [politely, ['run', 'PATH=/none npm test', 127]], found: [] },
]

const played = [...rows.filter(({ name }) => shared.includes(name)), ...otherRows, ...reports]

export const otherScenarios: Scenario[] = [
  ...played.map((row) =>
    scenarioOf(row, row.only ?? (row.steps.some(([kind]) => kind === 'ends') ? resuming : others)),
  ),
  ...otherThreads.map((scenario) => ({ ...scenario, only: others })),
]
