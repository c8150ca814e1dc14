import type { Job } from './pipeline.ts'
import {
  both,
  branchWork,
  commit,
  fail,
  greet,
  leaving,
  lint,
  mend,
  polite,
  politely,
  type Row,
  rudely,
  type Step,
  tests,
  upstream,
} from './verdict-rows.ts'

// The cases of docs/verdict.md in which others check the work: a pipeline, a reviewer, the author with another key.

const ci = (job: Job = {}): Step => ['ci', job]
/** Both turns edit it. */
const twice = () => ({ files: [greet, greet] })
/** The pipeline has no database. */
const down = { env: { DOWN: '1' }, exits: 1 }
const needsDatabase = { test: 'node --test && test -z "$DOWN"' }
const more: Step = ['write', 'more.txt']
const tracked: Step = ['run', 'git commit -qam Work', 0]
const helper: Step = ['write', 'src/h.js', 'export const h = 1\n']
const onBranch: Step = ['run', 'git checkout -qb work', 0]
const toMain: Step = ['run', 'git checkout -q main', 0]
const using = "import { h } from './h.js'\nexport const greet = (name) => (h ? 'Good day, ' + name : '')\n"
const uses: Step = ['edit', greet, "export const greet = (name) => 'Hi ' + name\n", using]
const review = { name: 'review', says: 'pass', isOfRun: true } as const
const reviewed = { tests: 'npm test', review: 'true' }
const independent = { verdict: 'verified', evidence: 'independent' } as const
const verified = { verdict: 'verified' } as const
const failing = { verdict: 'failing', evidence: 'independent' } as const
const unchecked = { found: [] }
const leg = (job: string, says: 'pass' | 'fail', attempt = 1): Step =>
  ci({ says, pipeline: { id: 'build 1', job, attempt } })

const by = 'git config user.name Eve; git config user.email eve@example.com;'
const base = "$(git log --format=%H --grep 'Record sessions')"

export const ciRows: readonly Row[] = [
  {
    name: '40 commit, back to main, CI passes',
    steps: [onBranch, politely, commit, toMain, ci({ on: 'work' })],
    figures: branchWork,
    ...independent,
  },
  {
    name: '44 amend of the message after CI',
    steps: [politely, commit, ci(), ['run', 'git commit -q --amend -m "Better work"', 0]],
    figures: ({ git }) => ({ commits: [git('rev-parse', 'HEAD@{1}'), git('rev-parse', 'HEAD')] }),
    ...independent,
  },
  { name: '48a CI passes', steps: [politely, commit, ci()], ...independent },
  {
    name: '48b CI passes, untracked TODO from before',
    prepare: ({ repository, write }) => write(repository, { TODO: 'Later.\n' }),
    steps: [politely, tracked, ci()],
    ...independent,
  },
  {
    name: '48c CI leaves coverage',
    scripts: { test: leaving },
    steps: [politely, commit, ci({ first: 'mkdir .npm && touch .npm/cache' })],
    ...independent,
  },
  {
    name: '48d edits of a person from before',
    prepare: ({ repository, write }) => write(repository, { 'README.md': '# Mine\n' }),
    steps: [politely, ['run', 'git commit -qm Work src/greet.js', 0], ci()],
    ...independent,
  },
  {
    name: '49a CI passes without the module of the session',
    steps: [politely, helper, tracked, ci()],
    verdict: 'stale',
    evidence: 'independent',
  },
  {
    name: '49b CI passes without an edit of somebody',
    between: ({ repository, write }) => write(repository, { 'README.md': '# Mine\n' }),
    steps: [politely, commit, ['ends'], ['run', 'ls', 0], ci()],
    verdict: 'stale',
    evidence: 'independent',
  },
  { name: '50a CI fails without the helper', steps: [helper, uses, tests, tracked, ci({ exits: 1 })], ...failing },
  {
    name: '50b tests pass, CI fails',
    scripts: needsDatabase,
    steps: [politely, tests, commit, ci(down)],
    ...failing,
  },
  {
    name: '51 tests fail without a database, CI passes',
    scripts: { test: 'test -n "$DATABASE"' },
    steps: [politely, fail, commit, ci({ env: { DATABASE: '1' } })],
    ...independent,
  },
  { name: '52 CI passes, new commit, tests pass', steps: [politely, commit, ci(), more, tests, commit], ...verified },
  {
    name: '53 CI passes, new commit',
    steps: [politely, commit, ci(), more, commit],
    verdict: 'stale',
    evidence: 'independent',
  },
  {
    name: '54 tests fail on new work, CI passes on the commit',
    scripts: needsDatabase,
    steps: [politely, commit, ['edit', greet, polite, 'nothing\n'], fail, ci()],
    verdict: 'failing',
  },
  {
    name: '55 CI passes, then fails on an older commit',
    scripts: needsDatabase,
    steps: [politely, commit, more, commit, ci(), ci({ on: 'HEAD~1', ...down })],
    ...independent,
  },
  {
    name: '56a CI fails, passes on a new commit',
    steps: [rudely, commit, ci({ exits: 1 }), mend, commit, ci()],
    figures: twice,
    ...independent,
  },
  {
    name: '56b leg of a matrix fails, then passes',
    steps: [politely, commit, leg('a', 'fail'), leg('b', 'pass'), leg('a', 'pass', 2)],
    ...independent,
  },
  {
    name: '56c CI fails, a new key passes',
    scripts: needsDatabase,
    steps: [politely, commit, ci(down), ci({ isRevoked: true }), ci({ by: 'new ci' })],
    ...independent,
  },
  {
    name: '56d CI has a command of its own',
    scripts: { test: 'node --test', 'test:ci': 'node --test' },
    steps: [
      rudely,
      commit,
      ci({ command: 'npm run test:ci', exits: 1 }),
      mend,
      commit,
      ci({ command: 'npm run test:ci' }),
    ],
    figures: twice,
    ...independent,
  },
  {
    name: '57a CI fails, new commit, tests pass',
    steps: [rudely, commit, ci({ exits: 1 }), mend, tests, commit],
    figures: twice,
    ...failing,
  },
  {
    name: '57b review fails, new work, tests pass',
    steps: [politely, tests, ci({ ...review, says: 'fail', by: 'bob' }), more, tests],
    ...failing,
  },
  {
    name: '58 leg of a matrix fails, another passes',
    steps: [politely, commit, leg('a', 'fail'), leg('b', 'pass')],
    ...failing,
  },
  {
    name: '59a rebase of an equal tree, CI',
    steps: [politely, commit, ci({ first: `${by} git commit -q --amend --reset-author -m Rebased` })],
    ...independent,
  },
  {
    name: '59b squash on an unmoved base, CI',
    steps: [
      politely,
      commit,
      more,
      commit,
      ci({ first: `${by} git reset -q --soft ${base}; git commit -qm Squashed` }),
    ],
    ...independent,
  },
  {
    name: '60a squash on a moved base, CI',
    prepare: upstream,
    steps: [
      politely,
      commit,
      ci({
        first: `${by} git checkout -q upstream; git merge -q --squash main; git commit -qm Squashed`,
        isLost: true,
      }),
    ],
    ...unchecked,
  },
  {
    name: '60b merge on a moved base, CI',
    prepare: upstream,
    steps: [
      politely,
      commit,
      ci({ first: `${by} git checkout -q upstream; git merge -q --no-edit origin/main`, isLost: true }),
    ],
    ...unchecked,
  },
  {
    name: '60c cherry-pick to another branch, CI',
    prepare: upstream,
    steps: [
      politely,
      commit,
      ci({ first: `${by} git checkout -q upstream; git cherry-pick origin/main`, isLost: true }),
    ],
    ...unchecked,
  },
  { name: '60d CI on a commit on which it stood', steps: [['run', 'ls', 0], ci({ isLost: true })], ...unchecked },
  {
    name: '60e a person commits on top, CI',
    steps: [politely, commit, ci({ first: `${by} echo 1 > p; git add p; git commit -qm Mine`, isLost: true })],
    ...unchecked,
  },
  { name: '61 CI runs tests, lint is stale', ...both, steps: [politely, lint, more, commit, ci()], ...independent },
  {
    name: '62 CI runs only lint',
    ...both,
    steps: [politely, commit, ci({ name: 'lint', command: 'npm run lint' })],
  },
  { name: '63 the key of the session in CI', steps: [politely, tests, commit, ci({ by: 'ada' })], ...verified },
  { name: '63b the key of the session in CI, alone', steps: [politely, commit, ci({ by: 'ada' })] },
  {
    name: '64a review by a person',
    steps: [politely, tests, ci({ ...review, by: 'bob' })],
    ...verified,
  },
  {
    name: '64b review, edit, tests again',
    steps: [politely, tests, ci({ ...review, by: 'bob' }), more, tests],
    ...verified,
  },
  {
    name: '65 required review is older',
    checks: reviewed,
    required: ['tests', 'review'],
    steps: [politely, tests, ci({ ...review, by: 'bob' }), more, tests],
    verdict: 'stale',
  },
  {
    name: '66 required review by the author',
    checks: reviewed,
    required: ['tests', 'review'],
    steps: [politely, tests, ci({ ...review, by: 'ada, laptop' })],
  },
  { name: '67 CI warns, then passes', steps: [politely, commit, ci({ says: 'warn' }), ci()], ...independent },
  { name: '68 CI warns', steps: [politely, commit, ci({ says: 'warn' })], verdict: 'warned', evidence: 'independent' },
  {
    name: '75 autocrlf',
    prepare: ({ git }) => git('config', 'core.autocrlf', 'true'),
    steps: [['write', 'dos.txt', 'One.\r\nTwo.\r\n'], politely, commit, ci()],
    ...independent,
  },
]
