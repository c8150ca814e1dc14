import { spawn } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Job } from './pipeline.ts'
import type { Place } from './place.ts'
import type { Session } from './scenarios.ts'

// The cases of docs/verdict.md that a real agent can play, as data.

/**
 * An act of the model: a file, an edit, a command with its exit code, a claim. Or the end of a turn, or what others do
 * after it.
 */
export type Step =
  | ['write', path: string, content?: string]
  | ['edit', path: string, from: string, to: string]
  | ['run', command: string, exits?: number, input?: (repository: string) => Record<string, unknown>]
  | ['claim', name: string, command?: string]
  | ['ends']
  | ['ci', job?: Job]

export interface Row {
  name: string
  only?: string[]
  /** The files of the project beyond those that every place has. */
  files?: Record<string, string>
  /** The scripts of package.json. */
  scripts?: Record<string, string>
  more?: Record<string, unknown>
  checks?: Record<string, string | string[]> | null
  required?: string[]
  prepare?(place: Place): void
  between?(place: Place): void
  steps: Step[]
  verdict?: Session['verdict']
  /** `name result command exitCode` of each check, if they do not follow from the commands. */
  found?: [name: string, result: string, command?: string, exitCode?: number][]
  changes?: string[]
  evidence?: 'self' | 'independent'
  figures?(place: Place): Record<string, unknown>
  folder?: string
}

export const first = "export const greet = (name) => 'Hi ' + name\n"
export const polite = "export const greet = (name) => 'Good day, ' + name\n"
const rude = "export const greet = (name) => 'What, ' + name + '?'\n"
export const greet = 'src/greet.js'
export const politely: Step = ['edit', greet, first, polite]
export const rudely: Step = ['edit', greet, first, rude]
export const mend: Step = ['edit', greet, rude, polite]
export const tests: Step = ['run', 'npm test', 0]
export const fail: Step = ['run', 'npm test', 1]
export const lint: Step = ['run', 'npm run lint', 0]
export const commit: Step = ['run', 'git add -A && git commit -qm "Work"', 0]
const part = 'npm test -- test/greet.test.js'
const other = "import { test } from 'node:test'\n\ntest('never', () => { throw new Error('no') })\n"
export const pass = ['tests', 'pass', 'npm test', 0] as [string, string, string, number]
export const failed = ['tests', 'fail', 'npm test', 1] as [string, string, string, number]
const linted = ['lint', 'pass', 'npm run lint', 0] as [string, string, string, number]
export const withLint = { tests: 'npm test', lint: 'npm run lint' }
export const both = { checks: withLint, scripts: { test: 'node --test', lint: 'node --check src/greet.js' } }
export const leaving = 'node --test && mkdir -p coverage && date +%s%N > coverage/report.txt'
const workAt = ({ git }: Place, at: string) => ({
  commit: git('rev-parse', at),
  commits: git('log', '--format=%H', '--reverse', `main..${at}`).split('\n'),
  tree: git('rev-parse', `${at}^{tree}`),
  changes: { files: 1, insertions: 1, deletions: 1 },
})
export const branchWork = (place: Place) => ({ ...workAt(place, 'work'), branch: 'work' })

/** A test that waits, outside of the repository, until somebody else has done something. */
export const waitingTest = 'touch "$HOME/begun"; until test -e "$HOME/done"; do sleep 0.1; done'

/** A person does that in the folder while the tests run. */
function person({ env, repository }: Place, does: string) {
  const script = `for i in $(seq 1500); do test -e "$HOME/begun" && break; sleep 0.1; done; ${does}; touch "$HOME/done"`
  spawn('sh', ['-c', script], { cwd: repository, env, stdio: 'ignore', detached: true }).unref()
}

/** Somebody else's commit on a branch that the session does not have. */
export const upstream = ({ git, repository, write }: Place) => {
  git('checkout', '-qb', 'upstream')
  write(repository, { 'up.txt': 'Up.\n' })
  git('add', '-A')
  git('commit', '-qm', 'Upstream')
  git('checkout', '-q', 'main')
}

const alone = ['claude']
function withoutGit({ home, repository, write }: Place) {
  rmSync(join(repository, '.git'), { recursive: true })
  write(home, { '.gitconfig': '[user]\nname = Ada\nemail = ada@example.com\n' })
}

const patchOf = (after: string) =>
  `diff --git a/${greet} b/${greet}
--- a/${greet}
+++ b/${greet}
@@ -1 +1 @@
-${first}+${after}`.trimEnd()

const madePolite = patchOf(polite)
const newThenRude = `diff --git a/a.txt b/a.txt
new file mode 100644
--- /dev/null
+++ b/a.txt
@@ -0,0 +1 @@
+Two line.
${patchOf(rude)}`

/** A row for each of the agents whose transcripts tell what they wrote. Hooks of the first ones report no durations. */
const outsideGit = (name: string, row: Pick<Row, 'files' | 'steps' | 'verdict'>, patch: string): Row[] => [
  {
    ...row,
    only: ['gemini', 'copilot', 'droid'],
    name: `${name}, Gemini, Copilot and Droid`,
    prepare: withoutGit,
    figures: () => ({ patch, durations: 0 }),
  },
  { ...row, only: ['qwen'], name: `${name}, Qwen`, prepare: withoutGit, figures: () => ({ patch }) },
]

function withSubmodule({ git, folder, repository, write }: Place) {
  const origin = join(folder, 'sub')
  write(origin, { 's.txt': 'One.\n' })
  git('init', '-q', origin)
  git('-C', origin, 'add', '-A')
  git('-C', origin, '-c', 'user.name=Ada', '-c', 'user.email=ada@example.com', 'commit', '-qm', 'One')
  git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', origin, 'sub')
  git('-C', repository, 'commit', '-q', '--amend', '--no-edit')
}

/** The tree of the files without the repository of the submodule. */
function inSubmodule(place: Place) {
  const copy = join(place.folder, 'copy')
  cpSync(place.repository, copy, { recursive: true, filter: (path) => !path.endsWith('.git') })
  const at = ['-c', `safe.directory=*`, `--git-dir=${join(place.repository, '.git')}`, `--work-tree=${copy}`]
  place.git('-C', place.folder, ...at, 'read-tree', '--empty')
  place.git('-C', copy, ...at, 'add', '-A', '.')
  const tree = place.git('-C', copy, ...at, 'write-tree')
  return { tree }
}

export const rows: readonly Row[] = [
  { name: '1a edit, tests pass', steps: [politely, tests], verdict: 'verified' },
  { name: '1b edit, tests pass, commit', steps: [politely, tests, commit], verdict: 'verified' },
  {
    name: '1c edit, tests pass, edit, undo',
    steps: [politely, tests, ['edit', greet, polite, rude], ['edit', greet, rude, polite]],
    verdict: 'verified',
  },
  { name: '2a edit, tests pass, edit', steps: [politely, tests, ['edit', greet, polite, rude]], verdict: 'stale' },
  {
    name: '2b README edited after the tests',
    steps: [politely, tests, ['edit', 'README.md', '# Greetings\n', '# Greeted\n']],
    verdict: 'stale',
  },
  { name: '3 new failing test after the tests', steps: [tests, ['write', 'test/b.test.js', other]], verdict: 'stale' },
  { name: '4a tests fail, claim', steps: [rudely, fail, ['claim', 'tests']], verdict: 'failing' },
  {
    name: '4a tests fail, claim of the command',
    steps: [rudely, fail, ['claim', 'tests', 'npm test']],
    verdict: 'failing',
  },
  {
    name: '4b tests fail, check exec true',
    steps: [rudely, fail, ['run', 'conduct check exec --name tests -- true', 0]],
    verdict: 'failing',
  },
  {
    name: '5a flaky',
    scripts: { test: 'test -e "$HOME/once" || { touch "$HOME/once"; exit 1; }' },
    steps: [politely, fail, tests],
    verdict: 'verified',
  },
  { name: '5b fail, fix, pass', steps: [rudely, fail, mend, tests], verdict: 'verified' },
  {
    name: '5c resume, edit, tests again',
    steps: [politely, tests, ['ends'], ['write', 'more.txt'], tests],
    verdict: 'verified',
  },
  {
    name: '5d flaky, by check exec the second time',
    scripts: { test: 'test -e "$HOME/once" || { touch "$HOME/once"; exit 1; }' },
    steps: [politely, fail, ['run', 'conduct check exec --name tests -- npm test', 0]],
    verdict: 'verified',
  },
  { name: '6 fail, edit', steps: [rudely, fail, mend], verdict: 'failing' },
  { name: '7b without rules', checks: null, steps: [politely, tests], found: [] },
  { name: '8a only lint', ...both, steps: [politely, lint], found: [linted] },
  {
    name: '8b types not run',
    scripts: both.scripts,
    checks: { ...withLint, types: 'npm run types' },
    required: ['tests', 'lint', 'types'],
    steps: [politely, lint, tests],
    found: [linted, pass],
  },
  { name: '9 lint early', ...both, steps: [lint, politely, tests], found: [linted, pass], verdict: 'verified' },
  {
    name: '10 lint fails',
    checks: withLint,
    scripts: { test: 'node --test', lint: 'exit 2' },
    steps: [politely, ['run', 'npm run lint', 2], tests],
    found: [['lint', 'fail', 'npm run lint', 2], pass],
    verdict: 'failing',
  },
  { name: '11a only a claim', steps: [politely, ['claim', 'tests']] },
  { name: '11b only check exec true', steps: [politely, ['run', 'conduct check exec --name tests -- true', 0]] },
  {
    name: '12 claim of another command',
    steps: [politely, tests, ['claim', 'tests', 'docker run tests']],
    verdict: 'verified',
    figures: () => ({ evidence: 'executed' }),
  },
  {
    name: '13 check exec without rules',
    checks: null,
    steps: [politely, ['run', 'conduct check exec --name tests -- npm test', 0]],
    verdict: 'verified',
  },
  {
    name: '14 tests by exec, edit, lint by exec',
    checks: null,
    scripts: both.scripts,
    steps: [
      politely,
      ['run', 'conduct check exec --name tests -- npm test', 0],
      ['write', 'more.txt'],
      ['run', 'conduct check exec --name lint -- npm run lint', 0],
    ],
    verdict: 'stale',
  },
  {
    name: '15 edited rule',
    steps: [rudely, ['edit', 'conduct.json', '"npm test"', '"true"'], ['run', 'true', 0]],
    files: { 'conduct.json': '{ "project": "greetings", "checks": { "tests":\n"npm test"\n} }\n' },
    found: [],
  },
  {
    name: '15 edited rule, resumed',
    steps: [rudely, ['edit', 'conduct.json', '"npm test"', '"true"'], ['ends'], ['run', 'true', 0]],
    files: { 'conduct.json': '{ "project": "greetings", "checks": { "tests":\n"npm test"\n} }\n' },
    found: [],
  },
  {
    name: '16 checkout and test',
    prepare: ({ git }) => git('branch', 'side'),
    steps: [['run', 'git checkout -q side', 0], tests],
    verdict: 'verified',
  },
  { name: '17a a part passes', steps: [politely, ['run', part, 0]], found: [] },
  { name: '17b help', steps: [politely, ['run', 'npm test --help', 0]], found: [] },
  {
    name: '17c if-present',
    scripts: { other: 'true' },
    steps: [politely, ['run', 'npm test --if-present', 0]],
    found: [],
  },
  { name: '17d variable', steps: [politely, ['run', 'ONLY=1 npm test', 0]], found: [] },
  {
    name: '17e another script',
    scripts: { test: 'node --test', 'test:unit': 'true' },
    steps: [politely, ['run', 'npm run test:unit', 0]],
    found: [],
  },
  { name: '17f old rule', checks: { tests: 'npm test*' }, steps: [politely, ['run', part, 0]], found: [] },
  {
    name: '17g lines that prove nothing',
    steps: [
      rudely,
      ...[
        'test -e README.md || npm test',
        'true || npm test',
        'npm test; true',
        'npm test || true',
        'npm test & wait',
        'for i in; do npm test; done',
        'if false; then npm test; fi',
        'echo "one && npm test"',
        "cat <<'END'\nnpm test\nEND",
        'echo one # && npm test',
        "sh -c 'npm test; true'",
        'bash -c "npm test" | cat',
        'npm() { true; }; npm test',
        'if npm test; then true; fi',
        'x=$(npm test); true',
        'npm test --if-present || exit 0',
      ].map((command): Step => ['run', command, 0]),
    ],
    found: [],
  },
  {
    name: '17h another program or environment',
    files: { 'fake/npm': '#!/bin/sh\ntrue\n' },
    prepare: ({ fault }) => fault('chmod', '+x', 'fake/npm'),
    steps: [
      rudely,
      ...[
        'PATH="$PWD/fake:$PATH" npm test',
        'export PATH="$PWD/fake:$PATH" && npm test',
        'PATH="$PWD/fake:$PATH"; npm test',
        'fake/npm test',
        './fake/npm test',
        'NODE_OPTIONS=--test-name-pattern=none npm test',
        'export NODE_OPTIONS=--test-name-pattern=none; npm test',
        'env NODE_OPTIONS=--test-name-pattern=none npm test',
      ].map((command): Step => ['run', command, 0]),
    ],
    found: [],
  },
  {
    name: '18 suite fails, a part passes',
    files: { 'test/b.test.js': other },
    steps: [politely, fail, ['run', part, 0]],
    found: [failed],
    verdict: 'failing',
  },
  {
    name: '19 suite passes, a wrong name fails',
    steps: [politely, tests, ['run', 'npm test -- typo.js', 1]],
    found: [pass],
    verdict: 'verified',
  },
  {
    name: '20 a part fails, fix, suite',
    steps: [rudely, ['run', part, 1], mend, tests],
    found: [pass],
    verdict: 'verified',
  },
  {
    name: '21 suite, edit, a part fails, fix, a part',
    steps: [tests, rudely, ['run', part, 1], mend, ['run', part, 0]],
    found: [pass],
    verdict: 'stale',
  },
  ...[
    'npm run test',
    'CI=1 npm test',
    'npm test 2>&1',
    'npm t',
    '(npm test)',
    'bash -lc "npm test"',
    'npm test --silent',
  ].map(
    (command): Row => ({
      name: `22 ${command}`,
      steps: [politely, ['run', command, 0]],
      found: [
        [
          'tests',
          'pass',
          command.match(/npm test 2>&1|npm test$|CI=1 npm test|npm run test|npm t$|npm test --silent/)?.[0] ??
            'npm test',
          0,
        ],
      ],
      verdict: 'verified',
    }),
  ),
  {
    name: '22 piped',
    steps: [politely, ['run', 'npm test 2>&1 | tail -3', 0]],
    found: [],
  },
  { name: '22 or true', steps: [rudely, ['run', 'npm test || true', 0]], found: [] },
  {
    name: '23 snapshot rewritten',
    scripts: { test: 'node snap.cjs' },
    files: {
      'snap.cjs':
        "const fs = require('fs'); if (process.argv[2]) fs.writeFileSync('s.snap', 'b'); process.exit(fs.readFileSync('s.snap', 'utf8') === 'b' ? 0 : 1)\n",
      's.snap': 'a',
    },
    steps: [politely, fail, ['run', 'npm test -- -u', 0]],
    found: [failed],
    changes: ['s.snap'],
    verdict: 'failing',
  },
  ...(['25', '26'] as const).map(
    (number): Row => ({
      name: `${number} workspace`,
      more: { workspaces: ['api'] },
      scripts: { test: 'node --test' },
      files: { 'api/package.json': '{ "name": "api", "version": "1.0.0", "scripts": { "test": "true" } }\n' },
      checks: number === '25' ? { tests: 'npm test -w api' } : { tests: 'npm test' },
      steps:
        number === '25' ? [politely, ['run', 'npm test -w api', 0]] : [rudely, fail, ['run', 'npm test -w api', 0]],
      found: number === '25' ? [['tests', 'pass', 'npm test -w api', 0]] : [failed],
      verdict: number === '25' ? 'verified' : 'failing',
    }),
  ),
  {
    name: '27 e2e fails, unit passes',
    scripts: { unit: 'true', e2e: 'exit 3' },
    checks: { tests: ['npm run unit', 'npm run e2e'] },
    steps: [politely, ['run', 'npm run e2e', 3], ['run', 'npm run unit', 0]],
    found: [
      ['tests', 'fail', 'npm run e2e', 3],
      ['tests', 'pass', 'npm run unit', 0],
    ],
    verdict: 'failing',
  },
  {
    name: '28a tests and lint on one line',
    ...both,
    steps: [politely, ['run', 'npm test && npm run lint', 0]],
    found: [pass, linted],
    verdict: 'verified',
  },
  {
    name: '28b format and test',
    steps: [politely, ['run', 'echo "// fmt" >> src/greet.js && npm test', 0]],
    found: [pass],
    verdict: 'verified',
  },
  {
    name: '28c format, lint and test',
    ...both,
    steps: [politely, ['run', 'echo "// fmt" >> src/greet.js && npm run lint && npm test', 0]],
    found: [linted, pass],
    verdict: 'verified',
  },
  {
    name: '28d test and commit',
    steps: [politely, ['run', 'npm test && git commit -qam Work', 0]],
    found: [pass],
    verdict: 'verified',
  },
  {
    name: '29a test and sed',
    steps: [politely, ['run', 'npm test && sed -i s/Good/Bad/ src/greet.js', 0]],
    found: [pass],
    verdict: 'stale',
  },
  {
    name: '29b test and new file',
    steps: [politely, ['run', 'npm test && echo 1 > src/new.js', 0]],
    found: [pass],
    changes: ['src/new.js'],
    verdict: 'stale',
  },
  {
    name: '29c lint fixes after the tests',
    checks: withLint,
    scripts: { test: 'node --test', lint: 'echo "// fixed" >> src/greet.js' },
    steps: [politely, tests, lint],
    found: [pass, linted],
    verdict: 'stale',
  },
  {
    name: '30 format, lint and test, lint required',
    ...both,
    required: ['tests', 'lint'],
    steps: [politely, ['run', 'echo "// fmt" >> src/greet.js && npm run lint && npm test', 0]],
    found: [linted, pass],
    verdict: 'stale',
  },
  {
    name: '31a a person saves a tracked file while tests run',
    scripts: { test: waitingTest },
    prepare: (place) => person(place, 'echo "// saved" >> src/greet.js'),
    steps: [politely, tests],
    verdict: 'stale',
  },
  {
    name: '32 a person adds a new file while tests run',
    scripts: { test: waitingTest },
    prepare: (place) => person(place, 'echo 1 > person.txt'),
    steps: [politely, tests],
    // It counts as left by the tests.
    changes: ['person.txt'],
    verdict: 'verified',
  },
  {
    name: '33 snapshot on the first run only',
    scripts: { test: 'grep -q snap src/greet.js || echo "// snap" >> src/greet.js' },
    steps: [politely, tests, tests],
    verdict: 'verified',
  },
  {
    name: '34a coverage',
    scripts: { test: leaving },
    steps: [politely, tests],
    changes: ['coverage/report.txt'],
    verdict: 'verified',
  },
  {
    name: '34b lint, then coverage',
    checks: withLint,
    required: ['tests', 'lint'],
    scripts: { test: leaving, lint: 'true' },
    steps: [politely, lint, tests],
    found: [linted, pass],
    changes: ['coverage/report.txt'],
    verdict: 'verified',
  },
  {
    name: '34c new snapshot, committed',
    scripts: { test: 'test -e s.snap || echo a > s.snap' },
    steps: [politely, tests, commit],
    changes: ['s.snap'],
    verdict: 'verified',
  },
  {
    name: '34d report, lint between',
    checks: withLint,
    required: ['tests', 'lint'],
    scripts: { test: leaving, lint: 'true' },
    steps: [politely, tests, lint, tests],
    found: [pass, linted, pass],
    changes: ['coverage/report.txt'],
    verdict: 'verified',
  },
  {
    name: '35 hook reformats',
    prepare: ({ repository, write, fault }) => {
      write(repository, { '.git/hooks/pre-commit': '#!/bin/sh\necho "// fmt" >> src/greet.js; git add -A\n' })
      fault('chmod', '+x', '.git/hooks/pre-commit')
    },
    steps: [politely, tests, commit],
    verdict: 'stale',
  },
  {
    name: '36 helper deleted',
    steps: [politely, ['run', 'echo 1 > src/h.js', 0], tests, ['run', 'rm src/h.js', 0]],
    verdict: 'stale',
  },
  {
    name: '38 helper left out',
    steps: [['write', 'src/h.js', 'export const h = 1\n'], politely, tests, ['run', 'git commit -qam Work', 0]],
    verdict: 'verified',
  },
  {
    name: '39a tests, commit, back to main',
    steps: [['run', 'git checkout -qb work', 0], politely, tests, commit, ['run', 'git checkout -q main', 0]],
    figures: branchWork,
    verdict: 'verified',
  },
  {
    name: '39b tests, commit, back to a main that has moved on',
    prepare: upstream,
    steps: [
      ['run', 'git checkout -qb work', 0],
      politely,
      tests,
      commit,
      ['run', 'git checkout -q main && git merge -q --ff-only upstream', 0],
    ],
    figures: branchWork,
    verdict: 'verified',
  },
  {
    name: '39c tests, commit, a question on a pulled main',
    prepare: upstream,
    between: ({ git }) => {
      git('checkout', '-q', 'main')
      git('merge', '-q', '--ff-only', 'upstream')
    },
    steps: [['run', 'git checkout -qb work', 0], politely, tests, commit, ['ends'], ['run', 'ls', 0]],
    figures: branchWork,
    verdict: 'verified',
  },
  ...[tests, ['run', 'ls', 0] as Step].flatMap((step): Row[] => {
    const detached: Step[] = [['run', 'git checkout -q --detach', 0], politely, step, commit]
    const what = step === tests ? 'tests, commit' : 'commit'
    const verdict = step === tests ? { verdict: 'verified' as const } : {}
    return [
      { name: `39d ${what} on a detached HEAD`, steps: detached, ...verdict },
      {
        name: `39e ${what} on a detached HEAD, back to main`,
        steps: [...detached, ['run', 'git checkout -q main', 0]],
        figures: (place) => ({ ...workAt(place, 'HEAD@{1}'), branch: null }),
        ...verdict,
      },
    ]
  }),
  {
    name: '41 fail on the branch, pass on main',
    steps: [['run', 'git checkout -qb work', 0], rudely, fail, commit, ['run', 'git checkout -q main', 0], tests],
    figures: branchWork,
    verdict: 'failing',
  },
  {
    name: '42 old fault of main',
    files: { 'src/greet.js': rude },
    steps: [
      ['run', 'git checkout -qb work', 0],
      mend,
      tests,
      commit,
      ['run', 'git checkout -q main', 0],
      fail,
      ['run', 'git checkout -q work', 0],
    ],
    verdict: 'verified',
  },
  {
    name: '43a merge after the tests',
    prepare: upstream,
    steps: [politely, tests, commit, ['run', 'git merge -q --no-edit upstream', 0]],
    // The merged commit is somebody else's, the merge its own.
    figures: ({ git }) => ({
      commits: git('log', '--format=%H', '--reverse', '--first-parent', '--grep', 'Work\\|Merge').split('\n'),
      changes: { files: 1, insertions: 1, deletions: 1 },
    }),
    verdict: 'stale',
  },
  {
    name: '43b reset after tests and commit',
    steps: [politely, tests, commit, ['run', 'git reset -q --hard HEAD~1', 0]],
    // The session made the commit, and no file differs any more.
    figures: ({ git }) => ({ commits: [git('rev-parse', 'ORIG_HEAD')], files: [], changes: null }),
    verdict: 'stale',
  },
  {
    name: '43c stash around the tests',
    steps: [politely, ['run', 'git stash -q && npm test && git stash pop -q', 0]],
    found: [pass],
    verdict: 'stale',
  },
  {
    name: '43d tests on an older commit, one line',
    steps: [politely, commit, ['run', 'git checkout -q HEAD~1 && npm test && git checkout -q main', 0]],
    found: [pass],
    verdict: 'stale',
  },
  {
    name: '43e tests on an older commit',
    steps: [politely, commit, ['run', 'git checkout -q HEAD~1', 0], tests, ['run', 'git checkout -q main', 0]],
    verdict: 'stale',
  },
  {
    name: '45 a person edits, the session goes on',
    between: ({ repository, write }) => write(repository, { 'README.md': '# Mine\n' }),
    steps: [politely, tests, ['ends']],
    verdict: 'stale',
  },
  {
    name: '46 untracked TODO',
    prepare: ({ repository, write }) => write(repository, { TODO: 'Later.\n' }),
    steps: [politely, tests],
    verdict: 'verified',
  },
  {
    name: '73b assume-unchanged',
    prepare: ({ git }) => git('update-index', '--assume-unchanged', 'README.md'),
    steps: [politely, tests, ['edit', 'README.md', '# Greetings\n', '# Greeted\n']],
    // Plain git does not see the hidden file.
    figures: (place) => {
      place.git('update-index', '--no-assume-unchanged', 'README.md')
      return { tree: place.tree(), changes: { files: 2, insertions: 2, deletions: 2 } }
    },
    verdict: 'stale',
  },
  {
    only: alone,
    name: '69 no git, tests',
    prepare: withoutGit,
    steps: [politely, tests],
    verdict: 'verified',
    figures: () => ({ patch: madePolite }),
  },
  {
    only: ['codex'],
    name: '69 no git, tests, Codex',
    prepare: withoutGit,
    steps: [politely, tests],
    verdict: 'verified',
    // Its hooks report no durations, and Conduct measures those of commands in git, and of checks.
    figures: () => ({ patch: madePolite, durations: 1 }),
  },
  {
    only: alone,
    name: '70a no git, tests, a file',
    prepare: withoutGit,
    steps: [politely, tests, ['write', 'a.txt']],
    verdict: 'stale',
  },
  {
    only: alone,
    name: '70b no git, tests, sed',
    prepare: withoutGit,
    steps: [politely, tests, ['run', 'sed -i s/Good/Bad/ src/greet.js', 0]],
    verdict: 'stale',
    // No transcript shows what sed did.
    figures: () => ({ patch: '' }),
  },
  ...outsideGit('69 no git, tests', { steps: [politely, tests], verdict: 'verified' }, madePolite),
  {
    only: ['gemini', 'qwen', 'copilot'],
    name: '69b no git, a new file, two turns',
    prepare: withoutGit,
    steps: [politely, ['write', 'a.txt'], ['ends'], ['edit', greet, polite, rude], ['edit', 'a.txt', 'One', 'Two']],
    figures: () => ({ patch: newThenRude, files: ['a.txt', 'a.txt', greet, greet] }),
  },
  ...outsideGit(
    '70b no git, tests, sed',
    { steps: [politely, tests, ['run', 'sed -i s/Good/Bad/ src/greet.js', 0]], verdict: 'stale' },
    '',
  ),
  ...outsideGit(
    '70c no git, sed on another line',
    {
      files: { 'list.txt': 'one\ntwo\nthree\nfour\nfive\nsix\nseven\neight\n' },
      steps: [
        ['edit', 'list.txt', 'two', '2'],
        ['run', 'sed -i s/eight/8/ list.txt', 0],
      ],
    },
    '',
  ),
  {
    name: '73a submodule edited after the tests',
    prepare: withSubmodule,
    steps: [politely, tests, ['edit', 'sub/s.txt', 'One.\n', 'Two.\n']],
    // Plain git sees only the commit of a submodule.
    figures: (place) => ({ ...inSubmodule(place), changes: { files: 2, insertions: 2, deletions: 2 } }),
    verdict: 'stale',
  },
  {
    name: '74 submodule tested and committed',
    prepare: withSubmodule,
    steps: [
      ['edit', 'sub/s.txt', 'One.\n', 'Two.\n'],
      tests,
      ['run', 'git -C sub -c user.name=Ada -c user.email=ada@example.com commit -qam Two && git commit -qam Work', 0],
    ],
    figures: (place) => ({ ...inSubmodule(place), changes: { files: 1, insertions: 1, deletions: 1 } }),
    verdict: 'verified',
  },
  {
    name: '76a sparse checkout',
    files: { 'docs/long.md': 'Long.\n' },
    prepare: ({ git }) => git('sparse-checkout', 'set', 'src', 'test', '.claude', '.codex'),
    steps: [politely, tests, ['write', 'src/more.txt']],
    // Plain git forgets in a new index what is not checked out.
    figures: ({ git }) => {
      git('add', '-A')
      return { tree: git('write-tree'), changes: { files: 2, insertions: 2, deletions: 1 } }
    },
    verdict: 'stale',
  },
  {
    name: '76c sparse checkout, tests last',
    files: { 'docs/long.md': 'Long.\n' },
    prepare: ({ git }) => git('sparse-checkout', 'set', 'src', 'test', '.claude', '.codex'),
    steps: [politely, tests],
    figures: ({ git }) => {
      git('add', '-A')
      return { tree: git('write-tree'), changes: { files: 1, insertions: 1, deletions: 1 } }
    },
    verdict: 'verified',
  },
  {
    name: '77 worktree made by the session',
    steps: [
      ['run', 'git worktree add -q ../side -b side', 0],
      ['run', 'cd ../side && npm test', 0],
    ],
    found: [],
  },
]
