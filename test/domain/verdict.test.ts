import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CheckResult } from '../../src/nouns/run/check/fields.ts'
import { type Judged, judge, type WorkState } from '../../src/nouns/run/verdict/verdict.ts'

/** Letters stand for trees. The commit `1` has the tree `A`, the commit `2` the tree `B`. */
type Given = Partial<Judged>
type Work = WorkState & { version?: number }

const commands: Record<string, string> = { tests: 'npm test', lint: 'npm run lint' }
const treeOf: Record<string, string> = { 1: 'A', 2: 'B' }

const check = (given: Given): Judged => ({
  name: 'tests',
  result: 'pass',
  evidence: 'executed',
  by: 1,
  byName: 'agent',
  isPerson: false,
  command: commands[given.name ?? 'tests'] ?? null,
  startTree: null,
  tree: null,
  commitTree: null,
  commit: null,
  dirty: null,
  pipeline: null,
  workVersion: 1,
  ...given,
})

/** A command that hooks saw, on that tree. */
const ran = (tree: string | null, result: CheckResult = 'pass', given: Given = {}) => check({ tree, result, ...given })
const lint = (tree: string | null, result: CheckResult = 'pass', given: Given = {}) =>
  ran(tree, result, { name: 'lint', command: 'npm run lint', ...given })
/** What the author says, without a recorder. */
const claim = (tree: string | null, result: CheckResult = 'pass', given: Given = {}) =>
  check({ tree, result, evidence: 'self', command: null, ...given })
/** `check exec` with the key of a service, on a clean checkout of that commit. */
const ci = (commit: string, result: CheckResult = 'pass', given: Given = {}) =>
  check({
    ...{ result, evidence: 'independent', by: 9, byName: 'ci', commit, dirty: false },
    ...{ tree: treeOf[commit] ?? null, commitTree: treeOf[commit] ?? null, ...given },
  })

/** Work on top of a commit, with these files not committed. */
const dirty = (tree: string, commit = '1', paths = ['src/a.js']): Work => ({
  ...{ tree, commit, commitTree: treeOf[commit], dirty: true },
  uncommitted: { count: paths.length, paths },
})
/** Work that is the commit. The folder may have other files that were there before. */
const clean = (commit: string, tree = treeOf[commit]): Work => ({
  ...{ tree, commit, commitTree: treeOf[commit], dirty: false },
  uncommitted: { count: 0, paths: [] },
})

type Row = [what: string, checks: Judged[], work: Work, required?: string[]]
const none: string[] = []
const both = ['tests', 'lint']

const cases: [number: number, verdict: string, evidence: string | null, rows: Row[]][] = [
  [
    1,
    'verified',
    'executed',
    [
      ['edit, tests pass', [ran('B')], dirty('B')],
      ['edit, tests pass, commit all', [ran('B')], clean('2')],
      ['an edit after the tests that is undone', [ran('B')], dirty('B')],
    ],
  ],
  [2, 'stale', 'executed', [['tests pass, edit again', [ran('B')], dirty('C')]]],
  [3, 'stale', 'executed', [['a new failing file after the tests', [ran('A')], dirty('C', '1', ['bad.test.js'])]]],
  [
    4,
    'failing',
    'executed',
    [
      ['the agent claims a pass', [ran('B', 'fail'), claim('B')], dirty('B')],
      ['check exec of another command', [ran('B', 'fail'), claim('B', 'pass', { command: 'true' })], dirty('B')],
      ['the same with a recorder', [ran('B', 'fail'), ran('B', 'pass', { command: 'true' })], dirty('B')],
    ],
  ],
  [
    5,
    'verified',
    'executed',
    [
      ['flaky', [ran('B', 'fail'), ran('B')], dirty('B')],
      ['tests fail, fix, pass', [ran('B', 'fail'), ran('C')], dirty('C')],
      ['resumed, another edit, tests again', [ran('B'), ran('C')], dirty('C')],
    ],
  ],
  [6, 'failing', 'executed', [['tests fail, last edit', [ran('B', 'fail')], dirty('C')]]],
  [
    7,
    'unchecked',
    null,
    [
      ['no check', [], dirty('B')],
      ['no rules, nothing seen', [], dirty('B'), none],
    ],
  ],
  [
    8,
    'unchecked',
    null,
    [
      ['only lint', [lint('B')], dirty('B')],
      ['types not run', [ran('B'), lint('B')], dirty('B'), [...both, 'types']],
    ],
  ],
  [9, 'verified', 'executed', [['lint early, edit, tests', [lint('A'), ran('B')], dirty('B')]]],
  [10, 'failing', 'executed', [['lint fails', [lint('B', 'fail'), ran('B')], dirty('B')]]],
  [
    11,
    'unchecked',
    null,
    [
      ['only a claim', [claim('B')], dirty('B')],
      ['only check exec of true', [claim('B', 'pass', { command: 'true' })], dirty('B')],
    ],
  ],
  [12, 'verified', 'executed', [['a claim beside what was seen', [ran('B'), claim('B')], dirty('B')]]],
  [13, 'verified', 'executed', [['check exec without rules', [ran('B')], dirty('B'), none]]],
  [14, 'stale', 'executed', [['tests, edit, lint, without rules', [ran('A'), lint('B')], dirty('B'), none]]],
  [15, 'unchecked', null, [['the rule was edited', [], dirty('B')]]],
  [16, 'verified', 'executed', [['a branch is checked out and tested', [ran('B')], clean('2')]]],
  [17, 'unchecked', null, [['another command is no check', [], dirty('B')]]],
  [
    18,
    'failing',
    'executed',
    [['a part passes', [ran('B', 'fail'), ran('B', 'pass', { command: 'npm test -- one' })], dirty('B')]],
  ],
  [19, 'verified', 'executed', [['the suite passes, a part is no check', [ran('B')], dirty('B')]]],
  [20, 'verified', 'executed', [['a part fails unseen, fix, the suite passes', [ran('C')], dirty('C')]]],
  [21, 'stale', 'executed', [['the suite passed, edit, parts pass', [ran('A')], dirty('B')]]],
  [22, 'verified', 'executed', [['the same command in another form', [ran('B', 'fail'), ran('B')], dirty('B')]]],
  [23, 'failing', 'executed', [['-u rewrites a failing snapshot', [ran('B', 'fail')], dirty('C')]]],
  [
    22,
    'verified',
    'executed',
    [
      ['npm test -- --coverage', 'npm test -- --coverage'],
      ['CI=1 npm test', 'CI=1 npm test'],
      ['npm run test', 'npm run test'],
    ].map(
      ([what, command]): Row => [
        `${what} after npm test`,
        [ran('B', 'fail'), ran('B', 'pass', { command: command as string })],
        dirty('B'),
      ],
    ),
  ],
  [
    24,
    'verified',
    'executed',
    [
      [
        'pytest fails outside of the venv, uv run pytest passes',
        [ran('B', 'fail', { command: 'pytest' }), ran('B', 'pass', { command: 'uv run pytest' })],
        dirty('B'),
      ],
    ],
  ],
  [25, 'verified', 'executed', [['a workspace of its own', [ran('B', 'pass', { name: 'api' })], dirty('B'), ['api']]]],
  [
    26,
    'failing',
    'executed',
    [
      [
        'all fail, one workspace passes',
        [ran('B', 'fail'), ran('B', 'pass', { name: 'api', command: 'npm test -w api' })],
        dirty('B'),
      ],
    ],
  ],
  [
    27,
    'failing',
    'executed',
    [
      [
        'e2e fails, unit passes, one name',
        [ran('B', 'fail', { command: 'npm run e2e' }), ran('B', 'pass', { command: 'npm run unit' })],
        dirty('B'),
      ],
    ],
  ],
  [
    28,
    'verified',
    'executed',
    [
      ['tests and lint on one line', [ran('B'), lint('B')], dirty('B'), both],
      ['the formatter, then tests', [ran('C')], dirty('C')],
      ['tests, then a commit of all', [ran('B')], clean('2')],
    ],
  ],
  [
    29,
    'stale',
    'executed',
    [['tests, then sed on the same line', [ran(null, 'pass', { startTree: 'B' })], dirty('C')]],
  ],
  [
    30,
    'stale',
    'executed',
    [
      [
        'the formatter changed a file before lint',
        [lint(null, 'pass', { startTree: 'B' }), ran('C')],
        dirty('C'),
        both,
      ],
    ],
  ],
  [
    31,
    'stale',
    'executed',
    [
      ['a tracked file is saved while tests run', [ran(null, 'pass', { startTree: 'B' })], dirty('B')],
      ['a background test ends after an edit', [ran(null, 'pass', { startTree: 'B' })], dirty('C')],
    ],
  ],
  [32, 'verified', 'executed', [['a new file while tests run', [ran('C', 'pass', { startTree: 'B' })], dirty('C')]]],
  [
    33,
    'verified',
    'executed',
    [['an inline snapshot, run again', [ran(null, 'pass', { startTree: 'B' }), ran('C')], dirty('C')]],
  ],
  [
    34,
    'verified',
    'executed',
    [
      ['coverage remains', [ran('C', 'pass', { startTree: 'B' })], dirty('C')],
      ['lint, then coverage', [lint('B'), ran('C', 'pass', { startTree: 'B' })], dirty('C'), both],
      ['a new snapshot is committed', [ran('B', 'pass', { startTree: 'A' })], clean('2')],
      [
        'a report that each run writes anew, lint between',
        [ran('C', 'pass', { startTree: 'B' }), lint('C'), ran('D', 'pass', { startTree: 'C' })],
        dirty('D'),
        both,
      ],
    ],
  ],
  [35, 'stale', 'executed', [['a hook reformats at the commit', [ran('A')], clean('2')]]],
  [36, 'stale', 'executed', [['a tested helper is deleted', [ran('C')], clean('2')]]],
  [37, 'stale', 'executed', [['tests without a tree', [ran(null)], dirty('B')]]],
  [38, 'verified', 'executed', [['a helper is not committed', [ran('C')], dirty('C', '2', ['src/h.js'])]]],
  [39, 'verified', 'executed', [['tests, commit, another branch', [ran('B')], clean('2')]]],
  [40, 'verified', 'independent', [['CI passes on the commit', [ci('2')], clean('2')]]],
  [41, 'failing', 'executed', [['they pass on main', [ran('B', 'fail'), ran('A')], clean('2')]]],
  [42, 'verified', 'executed', [['they fail on main', [ran('B'), ran('A', 'fail')], clean('2')]]],
  [43, 'stale', 'executed', [['a merge after the tests', [ran('B')], { ...clean('3'), tree: 'C', commitTree: 'C' }]]],
  [44, 'verified', 'independent', [['an amended message', [ci('2')], { ...clean('2'), commit: '3' }]]],
  [45, 'stale', 'executed', [['a person edits, the session asks on', [ran('B')], dirty('C')]]],
  [46, 'verified', 'executed', [['a TODO from before', [ran('T')], clean('1', 'T')]]],
  [47, 'verified', 'executed', [["another session's file", [ran('B')], clean('2')]]],
  [
    48,
    'verified',
    'independent',
    [
      ['CI on the commit', [ci('2')], clean('2')],
      ['a TODO from before', [ci('2')], clean('2', 'T')],
      ['CI leaves coverage and has a cache', [ci('2', 'pass', { tree: 'N' })], clean('2')],
      ['CI that names only the commit', [ci('2', 'pass', { tree: null, commitTree: null, dirty: null })], clean('2')],
    ],
  ],
  [49, 'stale', 'independent', [['an own module is not committed', [ci('2')], dirty('C', '2', ['src/m.js'])]]],
  [
    50,
    'failing',
    'independent',
    [
      ['CI fails without the helper', [ran('C'), ci('2', 'fail')], dirty('C', '2', ['src/h.js'])],
      ['CI fails, local tests passed', [ran('B'), ci('2', 'fail')], clean('2')],
    ],
  ],
  [51, 'verified', 'independent', [['no database here', [ran('B', 'fail'), ci('2')], clean('2')]]],
  [52, 'verified', 'executed', [['CI on the commit before', [ci('1'), ran('B')], clean('2')]]],
  [
    53,
    'stale',
    'independent',
    [
      ['nothing run since', [ci('1')], clean('2')],
      ['CI without the submodules of the commit', [ci('2', 'pass', { tree: 'N', commitTree: 'N' })], clean('2')],
      [
        'and of a run whose other files nobody knows',
        [ci('2', 'pass', { tree: 'N', commitTree: 'N' })],
        { ...clean('2', 'T'), uncommitted: undefined },
      ],
    ],
  ],
  [54, 'failing', 'executed', [["CI's pass of the commit before comes late", [ran('B', 'fail'), ci('1')], clean('2')]]],
  [55, 'verified', 'independent', [['a slow job of the commit before', [ci('2'), ci('1', 'fail')], clean('2')]]],
  [
    56,
    'verified',
    'independent',
    [
      ['CI failed, then passes', [ci('1', 'fail'), ci('2')], clean('2')],
      [
        'the failed leg runs again',
        [
          ci('2', 'fail', { pipeline: { id: '7', job: 'node 22' } }),
          ci('2', 'pass', { pipeline: { id: '7', job: 'node 24' } }),
          ci('2', 'pass', { pipeline: { id: '7', job: 'node 22', attempt: 2 } }),
        ],
        clean('2'),
      ],
      [
        'the failed attempt arrives late, after the one that passed',
        [
          ci('2', 'pass', { pipeline: { id: '7', job: 'test', attempt: 2 } }),
          ci('2', 'fail', { pipeline: { id: '7', job: 'test', attempt: 1 } }),
        ],
        clean('2'),
      ],
      [
        'all failed legs of one job run again, one of them twice',
        [
          ...[1, 1].map((attempt) => ci('2', 'fail', { pipeline: { id: '7', job: 'test', attempt } })),
          ci('2', 'pass', { pipeline: { id: '7', job: 'test', attempt: 2 } }),
          ci('2', 'fail', { pipeline: { id: '7', job: 'test', attempt: 2 } }),
          ci('2', 'pass', { pipeline: { id: '7', job: 'test', attempt: 3 } }),
        ],
        clean('2'),
      ],
      ['another key of CI', [ci('1', 'fail'), ci('2', 'pass', { by: 10 })], clean('2')],
      ['another command of CI', [ci('1', 'fail', { command: 'npm run test:ci' }), ci('2')], clean('2')],
    ],
  ],
  [
    57,
    'failing',
    'independent',
    [
      ['CI failed, tests pass here', [ci('1', 'fail'), ran('B')], clean('2')],
      ['no second review', [ci('1', 'fail', { name: 'review', command: null }), ran('B')], clean('2')],
    ],
  ],
  [
    58,
    'failing',
    'independent',
    [
      [
        'one leg fails, another passes later',
        [
          ci('2', 'fail', { pipeline: { id: '7', job: 'node 22' } }),
          ci('2', 'pass', { pipeline: { id: '7', job: 'node 24' } }),
        ],
        clean('2'),
      ],
      [
        'legs of a matrix, which have one job',
        [
          ci('2', 'fail', { pipeline: { id: '7', job: 'test', attempt: 1 } }),
          ci('2', 'pass', { pipeline: { id: '7', job: 'test', attempt: 1 } }),
        ],
        clean('2'),
      ],
      [
        'two legs of one job fail, and one of them runs again',
        [
          ...[1, 1].map((attempt) => ci('2', 'fail', { pipeline: { id: '7', job: 'test', attempt } })),
          ci('2', 'pass', { pipeline: { id: '7', job: 'test', attempt: 2 } }),
        ],
        clean('2'),
      ],
      [
        'somebody finds a failure before the failed attempt arrives',
        [
          ci('2', 'pass', { pipeline: { id: '7', job: 'test', attempt: 2 } }),
          ci('2', 'fail'),
          ci('2', 'fail', { pipeline: { id: '7', job: 'test', attempt: 1 } }),
        ],
        clean('2'),
      ],
      [
        'the attempt that passed arrives late, after the one that failed',
        [
          ci('2', 'fail', { pipeline: { id: '7', job: 'test', attempt: 2 } }),
          ci('2', 'pass', { pipeline: { id: '7', job: 'test', attempt: 1 } }),
        ],
        clean('2'),
      ],
    ],
  ],
  [
    59,
    'verified',
    'independent',
    [['an equal tree after a rebase', [ci('3', 'pass', { commitTree: 'B' })], clean('2')]],
  ],
  [60, 'unchecked', null, [['no check reaches the run', [], clean('2')]]],
  [61, 'verified', 'independent', [['lint is stale and not required', [lint('A'), ci('2')], clean('2')]]],
  [62, 'unchecked', null, [['CI runs lint only', [ci('2', 'pass', { name: 'lint' })], clean('2')]]],
  [
    63,
    'verified',
    'executed',
    [
      ["the run's own key in CI", [ran('B'), claim('B', 'pass', { commit: '2' })], clean('2')],
      [
        'in its job, two commands fail, and pass in the next attempt',
        (['fail', 'pass'] as const).flatMap((result, n) =>
          ['npm test', 'npm run e2e'].map((command) =>
            ran('B', result, { command, pipeline: { id: '7', job: 'test', attempt: n + 1 } }),
          ),
        ),
        clean('2'),
      ],
    ],
  ],
  [
    64,
    'verified',
    'executed',
    [
      ['a review by a person', [ci('2', 'pass', { name: 'review', command: null }), ran('B')], clean('2')],
      ['an edit after the review', [ci('1', 'pass', { name: 'review', command: null }), ran('B')], clean('2')],
    ],
  ],
  [
    65,
    'stale',
    'executed',
    [
      [
        'the required review is older',
        [ci('1', 'pass', { name: 'review', command: null }), ran('B')],
        clean('2'),
        ['tests', 'review'],
      ],
    ],
  ],
  [
    66,
    'unchecked',
    null,
    [
      [
        "the author's second key",
        [ran('B'), claim('B', 'pass', { name: 'review', by: 2 })],
        clean('2'),
        ['tests', 'review'],
      ],
    ],
  ],
  [67, 'verified', 'independent', [['CI warns, then passes', [ci('2', 'warn'), ci('2')], clean('2')]]],
  [68, 'warned', 'independent', [['CI warns', [ci('2', 'warn')], clean('2')]]],
  [
    69,
    'verified',
    'executed',
    [
      ['no git', [ran(null)], {}],
      ['no trees, then a commit', [ran(null, 'pass', { commit: '1', dirty: true })], { commit: '2', dirty: false }],
    ],
  ],
  [70, 'stale', 'executed', [['no trees, then files may be written', [ran(null)], { version: 2 }]]],
  [71, 'verified', 'self', [['a claim by the API', [claim(null)], {}, none]]],
  [72, 'stale', 'self', [['another git state', [claim(null)], { commit: '2', version: 2 }, none]]],
  [73, 'stale', 'executed', [['a file of a submodule', [ran('B')], dirty('C')]]],
  [74, 'verified', 'executed', [['a submodule is committed inside and outside', [ran('B')], clean('2')]]],
  [75, 'verified', 'independent', [['CRLF here, LF in CI', [ci('2')], clean('2')]]],
  [76, 'verified', 'executed', [['a sparse checkout', [ran('B')], clean('2')]]],
  [77, 'unchecked', null, [['tests in another worktree', [], clean('2')]]],
  [78, 'stale', 'executed', [['a filter that only the repository has', [ran('C')], clean('2')]]],
  // Cases that the rule did not name.
  [
    79,
    'warned',
    'independent',
    [
      [
        'a check that at best warns',
        [ci('1', 'fail', { name: 'audit' }), ci('2', 'warn', { name: 'audit' }), ran('B')],
        clean('2'),
      ],
    ],
  ],
  [
    80,
    'failing',
    'self',
    [
      [
        "another writer's failure, then the author's claim",
        [claim('B', 'fail', { by: 2 }), claim('B')],
        clean('2'),
        none,
      ],
    ],
  ],
  [
    81,
    'failing',
    'executed',
    [
      [
        'a failure whose name is not required, and a pass of another',
        [lint('B', 'fail'), ran('B'), ci('2')],
        clean('2'),
      ],
    ],
  ],
  [
    82,
    'stale',
    'independent',
    [['what is not committed is unknown', [ci('2')], { ...clean('2', 'C'), uncommitted: null }]],
  ],
  [
    83,
    'verified',
    'independent',
    [['a recorder that never said what is not committed', [ci('2')], { tree: 'C', commit: '2', dirty: false }]],
  ],
  [
    84,
    'stale',
    'executed',
    [
      [
        'a claim that only leftovers came after the tests',
        [ran('A'), claim('B', 'pass', { startTree: 'A' })],
        dirty('B'),
      ],
      ['CI left files in its own folder', [ran('A'), ci('2', 'pass', { name: 'lint', startTree: 'A' })], dirty('B')],
    ],
  ],
  [
    85,
    'verified',
    'independent',
    [
      ['somebody else commits all the work', [ci('2', 'pass', { tree: 'C', startTree: 'B' })], dirty('B')],
      ['tests cannot run here, and pass on such a commit', [ran('B', 'fail'), ci('2')], dirty('B')],
    ],
  ],
  [86, 'stale', 'independent', [['an edit after such a commit', [ci('2')], dirty('C')]]],
  [
    87,
    'stale',
    'independent',
    [['CI changed tracked files', [ci('2', 'pass', { tree: 'C', dirty: true })], dirty('B')]],
  ],
]

for (const [number, verdict, evidence, rows] of cases) {
  for (const [what, checks, { version = 1, ...state }, required = ['tests']] of rows) {
    test(`case ${number}, ${what}: ${verdict}`, () => {
      const found = judge(checks, { state, version }, required)
      assert.deepEqual([found.verdict, found.evidence], [verdict, evidence], found.why)
    })
  }
}

const sentences: [sentence: string, ...Row][] = [
  ['Checked by ci (independent); the key names no person', 'CI', [ci('2')], clean('2')],
  ['Checked by ada (independent)', 'a person', [ci('2', 'pass', { byName: 'ada', isPerson: true })], clean('2')],
  [
    'Checked by other (independent); the key names no person',
    'a pass that arrives late, after the later attempt of its job and another pass',
    [
      ci('2', 'pass', { pipeline: { id: '7', job: 'test', attempt: 2 } }),
      ci('2', 'pass', { byName: 'other' }),
      ci('2', 'pass', { byName: 'late', pipeline: { id: '7', job: 'test', attempt: 1 } }),
    ],
    clean('2'),
  ],
  [
    '`npm test` failed, says other (independent)',
    'a failure that arrives late, after the later attempt of its job and another failure',
    [
      ci('2', 'fail', { pipeline: { id: '7', job: 'test', attempt: 2 } }),
      ci('2', 'fail', { byName: 'other' }),
      ci('2', 'fail', { byName: 'late', pipeline: { id: '7', job: 'test', attempt: 1 } }),
    ],
    clean('2'),
  ],
  [
    "The author's recorder saw `npm test` pass; not committed: src/h.js",
    'not committed',
    [ran('C')],
    dirty('C', '2', ['src/h.js']),
  ],
  ["The author's recorder saw `npm test` and `npm run lint` pass", 'two', [ran('B'), lint('B')], clean('2'), both],
  ['`tests` has not run; `lint` passed', 'a part', [lint('B')], clean('2')],
  ['`tests` has not run', 'nothing', [], clean('2')],
  ['No check has run', 'nothing required', [], {}, none],
  ['Nobody saw `tests` run, and its author claims a pass', 'a claim', [claim('B')], clean('2')],
  ['`npm test` failed; changed since: src/a.js', 'a failure', [ran('A', 'fail')], dirty('B')],
  ['`npm test` failed; not committed: src/a.js', 'now', [ran('B', 'fail')], dirty('B')],
  ['`npm test` passed, says ci (independent); it tested another commit', 'another commit', [ci('1')], clean('2')],
  [
    '`npm test` passed, says ci (independent); its files differed from the commit',
    'a modified checkout',
    [ci('2', 'pass', { dirty: true, tree: 'X' })],
    clean('2'),
  ],
  ['`tests` failed, as its author claims; it tested other files', 'others', [claim('A', 'fail')], clean('2'), none],
  [
    '`tests` failed, as its author claims; the work changed since',
    'a change since',
    [claim('A', 'fail', { workVersion: 0 })],
    clean('2'),
    none,
  ],
  ['`npm test` failed; the work changed since', 'elsewhere', [ran('A', 'fail')], clean('2')],
  ['`npm test` failed; `lint` failed too', 'two failures', [lint('B', 'fail'), ran('B', 'fail')], clean('2')],
  ['`npm test` failed, says ci (independent)', 'CI fails', [ran('B'), ci('2', 'fail')], clean('2')],
  ['Checked by ci (independent); the key names no person', 'committed elsewhere', [ci('2')], dirty('B')],
  [
    'Checked by ci (independent); the key names no person; not committed: a.snap',
    'a file that tests left',
    [ran('C', 'pass', { startTree: 'B' }), ci('2')],
    dirty('C', '2', ['a.snap']),
  ],
  ['`tests` failed, as its author claims', 'a claimed failure', [claim('B', 'fail')], clean('2'), none],
  [
    '`npm test` passed; files changed while it ran',
    'while',
    [ran(null, 'pass', { startTree: 'B' })],
    dirty('B', '1', []),
  ],
  [
    '`npm test` passed; changed since: a, b, c and 2 more',
    'many',
    [ran('A')],
    dirty('B', '1', ['a', 'b', 'c', 'd', 'e']),
  ],
  ['Claimed by its author', 'the API', [claim(null)], {}, none],
  [
    "The author's recorder saw `npm test` pass; `review` checked by ada (independent)",
    'two kinds',
    [ran('B'), ci('2', 'pass', { name: 'review', byName: 'ada' })],
    clean('2'),
    ['tests', 'review'],
  ],
]

test('the sentence of a verdict', () => {
  for (const [sentence, what, checks, { version = 1, ...state }, required = ['tests']] of sentences) {
    assert.equal(judge(checks, { state, version }, required).why, sentence, what)
  }
})

test('the same failure again is shown once, and counts as before', () => {
  const legs = (id: string, ...results: CheckResult[]) =>
    results.map((result, at) => ci('2', result, { pipeline: { id, job: `node ${22 + 2 * at}` } }))
  const checks = [...legs('1', 'fail'), ...legs('2', 'fail'), ...legs('1', 'fail', 'pass').slice(1)]
  const { verdict, standings } = judge(checks, { state: clean('2'), version: 1 }, ['tests'])
  assert.equal(verdict, 'failing', 'the other leg of the first pipeline clears only the second')
  assert.deepEqual(
    standings.map(({ replacedBy }) => replacedBy && checks.indexOf(replacedBy)),
    [undefined, 2, undefined],
  )
  const again = judge([ran('B', 'fail'), ran('B', 'fail')], { state: clean('2'), version: 1 }, ['tests'])
  assert.deepEqual(
    again.standings.map(({ replacedBy }) => replacedBy === undefined),
    [false, true],
  )
})

test('what took the place of a check', () => {
  const checks = [ran('A', 'fail'), ran('B'), claim('B'), ran('B'), lint('B', 'fail'), lint('B', 'warn')]
  const { standings } = judge(checks, { state: clean('2'), version: 1 }, ['tests'])
  assert.deepEqual(
    standings.map(({ replacedBy }) => replacedBy && checks.indexOf(replacedBy)),
    [3, 3, 3, undefined, 5, undefined],
  )
  assert.deepEqual(
    standings.map(({ current }) => current),
    [false, true, true, true, true, true],
  )
})

const many: [what: string, count: number, make: (n: number) => Judged][] = [
  ['leave files', 20_000, (n) => ran(`${n + 1}`, 'pass', { startTree: `${n}` })],
  ['fail by commands of their own', 4_000, (n) => ran(`${n}`, 'fail', { command: `npm run t${n}` })],
  ['fail by one command', 4_000, (n) => ran(`${n}`, 'fail')],
  ['are claims without a command', 4_000, (n) => claim(`${n}`, 'fail', { by: n % 2 })],
  [
    'are jobs of one pipeline',
    4_000,
    (n) => ci('2', n % 2 === 0 ? 'fail' : 'pass', { pipeline: { id: '7', job: `job ${n}` } }),
  ],
  [
    'are attempts of one job',
    4_000,
    (n) => ci('2', n % 2 === 0 ? 'fail' : 'pass', { pipeline: { id: '7', job: 'job', attempt: n + 1 } }),
  ],
  [
    'are attempts of one job, the last first',
    4_000,
    (n) => ci('2', n % 2 === 0 ? 'fail' : 'pass', { pipeline: { id: '7', job: 'job', attempt: 4_000 - n } }),
  ],
  ['have names of their own', 4_000, (n) => claim(`${n}`, n % 2 === 0 ? 'warn' : 'pass', { name: `check ${n}` })],
]

for (const [what, count, make] of many) {
  test(`the time for ${count} checks that ${what} does not grow with their pairs`, () => {
    const checks = Array.from({ length: count }, (_, n) => make(n))
    const began = process.cpuUsage()
    const { standings } = judge(checks, { state: clean('2'), version: 1 }, ['tests'])
    const { user } = process.cpuUsage(began)
    assert.equal(standings.length, count)
    assert.ok(user < 1_000_000, `${Math.round(user / 1_000)} ms`)
  })
}
