import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { claudeIn, onlyRun, runsOf, syncAll } from './session.ts'
import { gitIn } from './user.ts'
import { rules, type Session, session } from './verdict-session.ts'

type Case = [row: string, what: string, does: (s: Session) => Promise<unknown>, verdict: string, rules?: object]

const both = { ...rules, required: ['tests', 'lint'] }
const passes = 'verified executed'

const cases: Case[] = [
  ['1', 'edit, tests pass', async ({ write, run }) => [await write('a', '1'), await run('npm test')], passes],
  [
    '1',
    'edit, tests pass, commit',
    async ({ write, run }) => [
      await write('a', '1'),
      await run('npm test'),
      await run('git add -A && git commit -qm a'),
    ],
    passes,
  ],
  [
    '1',
    'an edit that is undone after the tests',
    async ({ write, run }) => [
      await run('npm test'),
      await write('README.md', 'x'),
      await write('README.md', 'Shop\n'),
    ],
    passes,
  ],
  [
    '2',
    'edit after the tests',
    async ({ write, run }) => [await run('npm test'), await write('README.md', 'x')],
    'stale executed',
  ],
  [
    '3',
    'a new file after tests on a clean commit',
    async ({ write, run }) => [await run('npm test'), await write('new.test.js', 'fail')],
    'stale executed',
  ],
  [
    '5',
    'tests fail, fix, pass',
    async ({ write, run }) => [
      await write('work', 'no\n'),
      await run('npm test'),
      await write('work', 'pass\n'),
      await run('npm test'),
    ],
    passes,
  ],
  [
    '6',
    'tests fail, last edit',
    async ({ write, run }) => [await write('work', 'no\n'), await run('npm test'), await write('work', 'pass\n')],
    'failing executed',
  ],
  ['7', 'no rules, tests unseen', async ({ run }) => run('npm test'), 'unchecked null', {}],
  ['8', 'only lint', async ({ run }) => run('npm run lint'), 'unchecked null'],
  [
    '9',
    'lint early, edit, tests at the end',
    async ({ write, run }) => [await run('npm run lint'), await write('a', '1'), await run('npm test')],
    passes,
  ],
  [
    '10',
    'lint fails and never runs again',
    async ({ write, run }) => [await write('lint.sh', 'exit 1\n'), await run('npm run lint'), await run('npm test')],
    'failing executed',
  ],
  [
    '15',
    'the agent edits the rule to true',
    async ({ write, run }) => [
      await write('conduct.json', '{ "project": "shop", "checks": { "tests": "true" } }'),
      await run('true'),
    ],
    'unchecked null',
  ],
  [
    '16',
    'a session that only checks out and tests',
    async ({ run }) => [await run('git checkout -q -b side'), await run('npm test')],
    passes,
  ],
  [
    '17',
    'a part of the tests',
    async ({ run }) => [
      await run('npm test -- one'),
      await run('npm test --help'),
      await run('PYTEST_ADDOPTS=-k1 npm test'),
    ],
    'unchecked null',
  ],
  [
    '17',
    'an old rule with a star',
    async ({ run }) => run('npm test -- one'),
    'unchecked null',
    { checks: { tests: 'npm test*' } },
  ],
  [
    '18',
    'the suite fails, a part passes',
    async ({ write, run }) => [
      await write('work', 'no\n'),
      await run('npm test'),
      await write('test.sh', 'exit 0\n'),
      await run('npm test -- one'),
    ],
    'failing executed',
  ],
  [
    '19',
    'the suite passes, a typo fails',
    async ({ run }) => [await run('npm test'), await run('npm test -- typo.js && false')],
    passes,
  ],
  ['22', 'the same command by other words', async ({ run }) => run('CI=1 npm run test -- --coverage'), passes],
  [
    '24',
    'pytest is missing, uv run pytest passes',
    async ({ run }) => [await run('exit 127'), await run('uv run pytest -q')],
    passes,
    { checks: { tests: ['pytest', 'uv run pytest'] } },
  ],
  ['28', 'format, then tests, in one line', async ({ run }) => run('echo x >> README.md && npm test'), passes],
  [
    '28',
    'tests, then commit, in one line',
    async ({ write, run }) => [await write('a', '1'), await run('git add -A && npm test && git commit -qam a')],
    passes,
  ],
  [
    '29',
    'tests, then sed, in one line',
    async ({ run }) => run('npm test && sed -i s/Shop/Store/ README.md'),
    'stale executed',
  ],
  [
    '29',
    'tests, then a new file, in one line',
    async ({ run }) => run('npm test && echo x > new.js'),
    'stale executed',
  ],
  [
    '29',
    'work that is put away while the tests run, in one line',
    async ({ write, run }) => [await write('work', 'no\n'), await run('git stash -q && npm test && git stash pop -q')],
    'stale executed',
  ],
  [
    '30',
    'format and lint and tests, lint required',
    async ({ run }) => run('echo x >> README.md && npm run lint && npm test && true'),
    'stale executed',
    both,
  ],
  [
    '31',
    'a person saves a tracked file while tests run',
    async ({ run, beside }) => run('npm test', () => beside({ 'README.md': 'typed' })),
    'stale executed',
  ],
  [
    '32',
    'a person adds a file while tests run',
    async ({ run, beside }) => run('npm test', () => beside({ 'TODO.md': 'typed' })),
    passes,
  ],
  [
    '34',
    'tests leave a snapshot, and the next command commits it',
    async ({ run, beside, write }) => [
      await write('a', '1'),
      await run('npm test', () => beside({ 's.snap': '1' })),
      await run('git add -A && git commit -qm a'),
    ],
    passes,
  ],
  [
    '34',
    'tests change a new file that is staged',
    async ({ run, beside, write }) => [
      await write('a', '1'),
      await run('git add a'),
      await run('npm test', () => beside({ a: '2' })),
    ],
    'stale executed',
  ],
  ['34', 'tests leave a report', async ({ run }) => run('npm test', () => {}), passes],
  [
    '34',
    'tests leave a report, lint between',
    async ({ run, write }) => [
      await write('test.sh', 'date +%N > report; grep -q pass work\n'),
      await run('npm test'),
      await run('npm run lint'),
      await run('npm test'),
    ],
    passes,
    both,
  ],
  [
    '36',
    'an untracked helper is deleted after the tests',
    async ({ run, beside, cwd, write }) => [
      beside({ helper: 'x' }),
      await write('a', '1'),
      await run('npm test'),
      rmSync(join(cwd, 'helper')),
      await run('true'),
    ],
    'stale executed',
  ],
  [
    '38',
    'the commit leaves a new helper out',
    async ({ run, write }) => [
      await write('helper', 'x'),
      await write('README.md', 'x'),
      await run('npm test'),
      await run('git commit -qam a'),
    ],
    passes,
  ],
  [
    '39',
    'tests, commit, back on main',
    async ({ run, write }) => [
      await run('git checkout -q -b side'),
      await write('a', '1'),
      await run('npm test'),
      await run('git add -A && git commit -qm a'),
      await run('git checkout -q main'),
    ],
    passes,
  ],
  [
    '39',
    'tests, then commit and back on main in one line',
    async ({ run, write }) => [
      await run('git checkout -q -b side'),
      await write('a', '1'),
      await run('npm test'),
      await run('git add -A && git commit -qm a && git checkout -q main'),
    ],
    passes,
  ],
  [
    '88',
    'two branches, and the tests of one of them',
    async ({ write, run }) => [
      await run('git checkout -qb one'),
      await write('a', '1'),
      await run('git add -A && git commit -qm one'),
      await run('git checkout -q main && git checkout -qb two'),
      await write('b', '1'),
      await run('npm test'),
      await run('git add -A && git commit -qm two'),
    ],
    'stale executed',
  ],
  [
    '88',
    'tests fail on the branch; back on main, an edit and they pass',
    async ({ write, run }) => [
      await run('git checkout -qb one'),
      await write('work', 'no\n'),
      await run('npm test'),
      await run('git commit -qam one && git checkout -q main'),
      await write('README.md', 'x'),
      await run('npm test'),
    ],
    'stale executed',
  ],
  [
    '88',
    'the branch of another turn, and the tests of this one',
    async ({ write, run, claude }) => [
      await run('git checkout -qb one'),
      await write('a', '1'),
      await run('git add -A && git commit -qm one && git checkout -q main'),
      await claude.stop(),
      await claude.prompt('More'),
      await write('b', '1'),
      await run('npm test'),
    ],
    'stale executed',
  ],
  [
    '89',
    'a branch that is squashed into main, and the tests of what follows',
    async ({ write, run }) => [
      await run('git checkout -qb one'),
      await write('a', '1\n2\n3\n'),
      await run('git add -A && git commit -qm one'),
      await write('a', '1\n2\n3\n4\n'),
      await run('git commit -qam more && git checkout -q main && git merge -q --squash one && git commit -qm squashed'),
      await write('a', '0\n1\n2\n3\n4\n'),
      await run('npm test'),
    ],
    passes,
  ],
  [
    '89',
    'a branch that is rebased onto a main that moved on, and its tests',
    async ({ write, run, shell }) => [
      await run('git checkout -qb one'),
      await write('a', '1'),
      await run('git add -A && git commit -qm one'),
      shell('git branch -f main $(git commit-tree main^{tree} -p main -m theirs)'),
      await run('git rebase -q main'),
      await run('npm test'),
    ],
    passes,
  ],
  [
    '41',
    'tests fail on the branch; back on main they pass',
    async ({ run, write }) => [
      await run('git checkout -q -b side'),
      await write('work', 'no\n'),
      await run('npm test'),
      await run('git commit -qam no'),
      await run('git checkout -q main'),
      await run('npm test'),
    ],
    'failing executed',
  ],
  [
    '43',
    'a merge after the tests',
    async ({ run, write, shell }) => [
      shell('git checkout -q -b other && echo o > other && git add -A && git commit -qm other && git checkout -q main'),
      await write('a', '1'),
      await run('git add -A && git commit -qm a'),
      await run('npm test'),
      await run('git merge -q other -m merged'),
    ],
    'stale executed',
  ],
  [
    '43',
    'a reset after tests and commit',
    async ({ run, write }) => [
      await write('a', '1'),
      await run('npm test'),
      await run('git add -A && git commit -qm a'),
      await run('git reset -q --hard HEAD~1'),
    ],
    'stale executed',
  ],
  [
    '45',
    'a person edits after the tests, and the session asks on',
    async ({ run, beside, claude }) => [
      await run('npm test'),
      await claude.stop(),
      beside({ 'README.md': 'typed' }),
      await claude.prompt('And?'),
    ],
    'stale executed',
  ],
  [
    '46',
    "a person's untracked file from before",
    async ({ run, write }) => [await write('a', '1'), await run('npm test')],
    passes,
  ],
  [
    '47',
    'another session edits its file after our tests',
    async ({ run, write, other }) => {
      await write('a', '1')
      await run('npm test')
      const theirs = other()
      await theirs.prompt('Mine')
      await theirs.write('b', '1')
      await theirs.stop()
      await theirs.end()
    },
    passes,
  ],
  [
    '77',
    'a worktree of the session',
    async ({ run, write }) => [
      await write('a', '1'),
      await run('git worktree add -q ../side && cd ../side && npm test'),
    ],
    'unchecked null',
  ],
  // A mask may take the `;` behind a secret, too: lines are read before they are masked.
  ...[
    'npm test && export NPM_TOKEN=abcd1234efgh; npm run build',
    'npm test && mysql -uroot -phunter22; true',
    'bash -c "npm test && export NPM_TOKEN=abcd1234efgh; true"',
  ].map(
    (line): Case => [
      '78',
      `tests fail in \`${line}\``,
      async ({ write, run }) => [await write('work', 'broken'), await run(line)],
      'unchecked null',
    ],
  ),
  [
    '78',
    'tests fail behind a secret',
    async ({ write, run }) => [await write('work', 'broken'), await run('redis-cli -a hunter22; npm test')],
    'failing executed',
  ],
  [
    '78',
    'a rule with a password',
    async ({ write, run }) => [await write('a', '1'), await run('PGPASSWORD=postgres npm test')],
    passes,
    { ...rules, checks: { tests: 'PGPASSWORD=postgres npm test' } },
  ],
  [
    '28',
    'two checks after a program that changes nothing, on one line',
    async ({ run }) => run('npm run fmt && npm run lint && npm test'),
    passes,
    both,
  ],
  [
    '28',
    'two checks on one line, after which a program puts work back',
    async ({ write, run }) => [
      await write('mine', '1'),
      await run('mv mine .. && npm run lint && npm test && mv ../mine .'),
    ],
    'stale executed',
    both,
  ],
]

for (const [row, what, does, expected, conductJson = rules] of cases) {
  test(`row ${row}: ${what}: ${expected}`, async (t) => {
    const s = await session(t, conductJson)
    await does(s)
    await s.claude.stop()
    await syncAll(s.env)
    const run = (await runsOf(s)).find(({ title }) => title === 'Work') ?? (await onlyRun(s))
    assert.equal(`${run.verdict} ${run.evidence}`, expected, `${run.why}`)
  })
}

test('a test run in another repository is no check, even in the folder of conduct.json', async (t) => {
  const s = await session(t, rules, { '.gitignore': 'inner\n' })
  const inner = join(s.cwd, 'inner')
  mkdirSync(inner)
  for (const words of [
    ['init', '-q'],
    ['commit', '-q', '--allow-empty', '-m', 'first'],
  ])
    gitIn(inner)(...words)
  const claude = claudeIn(inner, s.env)
  await claude.prompt('Inner')
  await claude.write('a.txt', 'a\n')
  await claude.use('Bash', { command: 'cd .. && npm test' }, () => s.shell('npm test'))
  await claude.stop()
  await syncAll(s.env)
  const run = (await runsOf(s)).find(({ title }) => title === 'Inner')
  assert.deepEqual(
    [run?.verdict, run?.changes?.files, (await (await s.ledger()).listChecks()).checks],
    ['unchecked', 1, []],
  )
})

test('a check says which files that decide what it tests have changed in the session', async (t) => {
  const s = await session(t, rules, { 'package.json': '{}' })
  await s.run('npm test')
  await s.write('package.json', '{ "scripts": { "test": "true" } }')
  await s.run('npm test')
  await syncAll(s.env)
  const client = await s.ledger()
  const { checks } = await client.listChecks({ order: 'asc' })
  const contents = await Promise.all(
    checks.map(async ({ checkId }) => (await client.getCheck({ checkId })).check.content),
  )
  assert.deepEqual(contents, ['', 'Changed since the session began: package.json.'])
})

test('changes while two sessions ran commands are credited to neither, and counted', async (t) => {
  const s = await session(t, rules)
  const other = s.other()
  await other.prompt('Mine')
  const tool = { tool_name: 'Bash', tool_input: { command: 'sleep 1' } }
  await other.tell('PreToolUse', { ...tool, tool_use_id: 'theirs' })
  await s.run('touch one two three')
  await other.tell('PostToolUse', { ...tool, tool_use_id: 'theirs', tool_response: {} })
  await s.claude.stop()
  await syncAll(s.env)
  const run = (await runsOf(s)).find(({ title }) => title === 'Work')
  assert.deepEqual(run?.changes, { uncredited: { files: 3, sessions: 2 } })
})
