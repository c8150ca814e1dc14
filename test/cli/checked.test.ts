import assert from 'node:assert/strict'
import { mkdirSync, realpathSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkNamesOf, ranBy, readingOf, readLine } from '../../src/capture/command/checked.ts'
import { leavesProcess } from '../../src/capture/command/line-commands.ts'
import { mayCheck } from '../../src/place/rules.ts'
import { assertLinear } from '../support/linear.ts'
import { freshFolder } from './folder.ts'
import { masking, sound } from './lines.ts'

const rules = [
  { name: 'tests', commands: ['npm test', 'pytest'] },
  { name: 'lint', commands: ['npm run lint', 'biome check src --ci'] },
]
const cwd = realpathSync(tmpdir())

/** A command line, its exit code, and the names of the checks that Conduct records for it. */
const cases: [string, number | undefined, string[]][] = [
  ['npm test', undefined, []],
  ['npm test', 126, []],
  ['npm test', 127, []],
  ['npm ci && npm test', 127, []],
  ['npm tests', 0, []],
  ['npm test -- one', 0, []],
  ['npm test --help', 0, []],
  ['npm test -w api', 0, []],
  ['pytest -x', 0, ['tests']],
  ['PYTEST_ADDOPTS=-k1 pytest', 0, []],
  ['export PYTEST_ADDOPTS=-k1; pytest', 0, []],
  ['export PYTEST_ADDOPTS=-k1 && pytest', 0, []],
  ['PATH=/tmp/fake npm test', 0, []],
  ['pnpm test', 0, []],
  ['npx biome check src --ci --colors=off', 1, ['lint']],
  // In a chain of &&, either all commands passed, or one of them failed.
  ['npm run lint && npm test', 0, ['lint', 'tests']],
  ['npm run lint && npm test', 1, []],
  ['npm ci && npm test', 0, ['tests']],
  ['npm ci && npm test', 1, []],
  ['echo begin && npm test && echo end', 1, ['tests']],
  ['npm test && npm test', 0, ['tests']],
  // Only bash and zsh read `&>` as a redirection. To other shells, the command ends with `&`.
  ['npm test &> out.txt', 0, []],
  ['npm test &>> out.txt', 1, []],
  ['npm test && echo passed &> out.txt', 0, []],
  ['npm test | cat &> out.txt && true', 0, []],
  ['(npm test) &> out.txt', 0, []],
  ['command -v npm &> /dev/null && npm test', 0, ['tests']],
  ['npm run lint && ls &> out.txt && npm test', 0, ['tests']],
  // In another folder, the same command is another check.
  ['cd / && npm test', 1, []],
  ['cd /\nnpm test', 1, []],
  ['cd tmp && cd .. && npm test', 0, []],
  ['cd "$HOME" && npm test', 0, []],
  ['cd && npm test', 0, []],
  ['cd - && npm test', 0, []],
  ['pushd src && npm test', 0, []],
  ['command cd / && npm test', 0, []],
  ['cd $(mktemp -d) && npm test', 0, []],
  ['(cd / && true) && npm test', 0, ['tests']],
  ['npm test && (cd / && ls)', 0, ['tests']],
  ['if true; then cd /; fi; npm test', 0, []],
  ['true || cd /; npm test', 0, []],
  ['false && cd /; npm test', 0, []],
  ['{ false && cd /; }; npm test', 0, []],
  ['{ false && cd .; }; npm test', 0, ['tests']],
  // `set -e` does not heed a chain that ends a group.
  ['set -e; npm test; echo done', 0, ['tests']],
  ['set -e; { npm test && echo ok; }; echo done', 0, []],
  ['set -e; { { npm test && true; }; } > log; true', 0, []],
  ['set -e; { set +e; npm test; }; echo done', 0, []],
  ['set -e; (npm test && echo ok); echo done', 0, ['tests']],
  // Not a line of a shell, or with another word at its end.
  ['npm test\r', 0, []],
  ['npm ci\r\nnpm test', 0, []],
  ['npm test\\', 0, []],
  ['npm test (', 0, []],
  ['npm test "', 0, []],
]

for (const [line, exitCode, names] of cases) {
  test(`${JSON.stringify(line)} that ended with ${exitCode} is ${names.join(' and ') || 'no check'}`, () => {
    assert.deepEqual(checkNamesOf(line, exitCode, rules, { cwd, home: cwd }), names)
  })
}

test('a command in another folder is not a check', (t) => {
  const home = realpathSync(freshFolder(t))
  const sub = join(home, 'sub')
  mkdirSync(sub)
  assert.deepEqual(checkNamesOf('npm test', 0, rules, { cwd: sub, home }), [])
  assert.deepEqual(checkNamesOf('cd sub && npm test', 0, rules, { cwd: home, home }), [])
  assert.deepEqual(checkNamesOf('cd sub && npm test', 0, rules, { cwd: home, home: sub }), ['tests'])
  assert.deepEqual(checkNamesOf('cd .. && npm test', 0, rules, { cwd: sub, home }), ['tests'])
  assert.deepEqual(checkNamesOf('cd ..\nnpm test', 1, rules, { cwd: sub, home }), ['tests'])
  assert.deepEqual(checkNamesOf('cd gone\ncd ..\nnpm test', 1, rules, { cwd: sub, home }), [])
  assert.deepEqual(checkNamesOf('npm test', 0, rules, { cwd: home, home: undefined }), [])
})

test('a folder to which a line may not have gone has no check', (t) => {
  const home = realpathSync(freshFolder(t))
  const sub = join(home, 'sub')
  mkdirSync(sub)
  const lines = [
    '{ false && cd sub; }; npm test',
    '{ false && cd sub; } || npm test; npm test',
    '{ [ -d gone ] && cd sub; } > out.txt; npm test',
    '! { false && cd sub; }; npm test',
    '(false && cd sub; npm test)',
    'CDPATH=/tmp cd sub; npm test',
    '$(echo cd) sub; npm test',
    'if false; then cd sub; fi; npm test',
    // In zsh, the last command of a pipeline runs in the shell itself.
    'true | cd sub; npm test',
  ]
  for (const line of lines)
    for (const folder of [home, sub]) {
      assert.deepEqual(checkNamesOf(line, 0, rules, { cwd: home, home: folder }), [], line)
    }
})

test('a file that a line reads first is that of an environment, wherever it is but in a temporary folder', () => {
  const found = (line: string) => checkNamesOf(line, 0, rules, { cwd: '/', home: '/' })
  const known = ['venv/bin/activate', '/home/ada/env/bin/activate', '~/.cargo/env', '"$HOME/.cargo/env"']
  const also = ['$(pwd)/venv/bin/activate', '"$VIRTUAL_ENV"/bin/activate', '$PWD/venv/bin/activate']
  const tools = ['poetry env info --path', 'poetry env info -p', 'pipenv --venv', 'conda info --base']
  const asked = tools.map((line) => `$(${line})/bin/activate`)
  for (const file of [...known, ...also, ...asked])
    assert.deepEqual(found(`source ${file} && npm test`), ['tests'], file)
  const odd = ['/tmp/x/bin/activate', 'tmp/.cargo/env', '/home/../tmp/x/bin/activate', '$HOME/../tmp/bin/activate']
  const indirect = ['$TERM/bin/activate', '$(echo /tmp/x)/bin/activate', '`pwd`/bin/activate', '/dev/shm/bin/activate']
  for (const file of [...odd, ...indirect]) assert.deepEqual(found(`. ${file}; npm test`), [], file)
})

test('a line that may set a variable in a way of zsh has no check', () => {
  const lines = ['print -v PATH /tmp; npm test', `: \${PATH::=/tmp}; npm test`, 'setopt no_exec; npm test']
  for (const line of [...lines, 'functions -c true npm; npm test', 'wait -np PATH; npm test'])
    assert.deepEqual(checkNamesOf(line, 0, rules, { cwd, home: cwd }), [], line)
})

test('a line says what else it ran, and whether the check came last', () => {
  const read = (line: string) => {
    const { checks, writes } = readLine(line, 0, rules, { cwd, home: cwd })
    return [writes ? 'write' : 'none', ...checks.map(({ name, isLast }) => `${name}${isLast ? ', last' : ''}`)]
  }
  const lines: [string, string[]][] = [
    ['npm test', ['none', 'tests, last']],
    ['npm run lint && npm test', ['none', 'lint', 'tests, last']],
    ['CI=1; cd . && npm test', ['none', 'tests, last']],
    ['set -o pipefail; npm test 2>&1 | tail -5', ['none', 'tests, last']],
    ['git status && npm test && git commit -qam x', ['none', 'tests, last']],
    ['npx prettier --write . && npm test', ['write', 'tests, last']],
    ['npx prettier --write . && npm run lint && npm test', ['write', 'lint', 'tests, last']],
    ['npm test && sed -i s/a/b/ src/a.js', ['write', 'tests']],
    ['npm test && echo x > src/a.js', ['write', 'tests']],
    ['npm test && echo x > /dev/null', ['none', 'tests, last']],
    ['npm test && echo x > /tmp/x', ['write', 'tests']],
    ['npm test && cat > src/new.js <<E\nx\nE', ['write', 'tests']],
    ['npm test && echo $(rm a)', ['write', 'tests']],
    ['npm start & npm test', ['write', 'tests']],
    ['(npm run lint && npm test) > out.txt', ['write', 'lint', 'tests, last']],
    ['bash -c "git diff && npm test"', ['none', 'tests, last']],
    ['for one in *; do rm $one; done; npm test', ['write']],
    ['ls', ['none']],
    ['sed -n 1,20p a.txt | head', ['none']],
    ["sed -n 'w b' a.txt", ['write']],
    ['find . -name a -delete', ['write']],
    ['git checkout main', ['write']],
    ['git -c core.pager=x log', ['write']],
    ['cd sub', ['none']],
    ['x(', ['write']],
  ]
  for (const [line, expected] of lines) assert.deepEqual(read(line), expected, line)
})

test('a line can be read before it is known how it ended', () => {
  for (const line of [...sound, ...masking, ...cases.map(([line]) => line)]) {
    const reading = readingOf(line, rules, { cwd, home: cwd })
    for (const code of [undefined, 0, 1, 3, 126, 127])
      assert.deepEqual(ranBy(reading, code), readLine(line, code, rules, { cwd, home: cwd }), `${line} with ${code}`)
  }
})

test('a rule asks for the options with which its command also checks coverage or a lock file', () => {
  const ran = (rule: string, line: string) =>
    checkNamesOf(line, 0, [{ name: 'tests', commands: [rule] }], { cwd, home: cwd }).length > 0
  const asked: [rule: string, others: string[], less: string[]][] = [
    [
      'npm test -- --coverage',
      ['npm t -- --bail --coverage', 'CI=1 npm test -- --coverage > out.txt'],
      ['npm test', 'npm test -- --bail', 'npm test # --coverage'],
    ],
    ['vitest run --coverage', ['npx vitest --coverage --run'], ['vitest run', 'vitest run --coverage.reporter=text']],
    ['jest --coverage', ['npx jest --coverage -i'], ['jest', 'jest --coverageReporters=text']],
    ['bun test --coverage', ['bun test --coverage --bail'], ['bun test']],
    ['pytest --cov=src', ['uv run pytest -q --cov=src'], ['pytest', 'pytest --cov', 'pytest --cov=src/one']],
    ['cargo test --locked', ['cargo t -q --locked'], ['cargo test', 'cargo t -q']],
    ['uv run --locked pytest', ['uv run --locked pytest -q'], ['pytest', 'uv run pytest']],
  ]
  for (const [rule, others, less] of asked) {
    for (const line of [rule, ...others]) assert.ok(ran(rule, line), `${line} for ${rule}`)
    for (const line of less) assert.ok(!ran(rule, line), `${line} for ${rule}`)
  }
  assert.ok(ran('npm test', 'npm test -- --coverage'))
  assert.ok(ran('cargo test', 'cargo test --locked'))
})

test('a rule of several commands is the same line', () => {
  const inApi = [{ name: 'api', commands: ['cd api && npm test'] }]
  assert.deepEqual(checkNamesOf('cd api && npm test', 1, inApi, { cwd, home: cwd }), ['api'])
  assert.deepEqual(checkNamesOf('npm test', 1, inApi, { cwd: `${cwd}/api`, home: cwd }), [])
  const own = [{ name: 'all', commands: ['cd api && npm test; true'] }]
  assert.deepEqual(checkNamesOf('cd api && npm test; true\n', 1, own, { cwd, home: cwd }), ['all'])
  assert.deepEqual(checkNamesOf('cd api && npm test', 1, own, { cwd, home: cwd }), [])
})

test('a rule of several commands counts beside the rules of its commands', () => {
  const both = [
    { name: 'ci', commands: ['npm run lint && npm test'] },
    { name: 'tests', commands: ['npm test'] },
  ]
  const named = (exitCode: number) => checkNamesOf('npm run lint && npm test', exitCode, both, { cwd, home: cwd })
  assert.deepEqual([named(0), named(1)], [['ci', 'tests'], ['ci']])
})

test('the test for hooks says yes for each line with a check', () => {
  const forms = [...sound, ...masking, ...cases.map(([line]) => line)]
  for (const line of forms) {
    if (checkNamesOf(line, 0, rules, { cwd, home: cwd }).length > 0) assert.ok(mayCheck(line, rules), line)
  }
  const names: [rule: string, line: string][] = [
    ['./gradlew test', 'gradle test'],
    ['mvn test', './mvnw test'],
    ['pytest', 'py.test'],
    ['py.test', 'uv run pytest'],
    ['uv run pytest', "'py''test'"],
    ['npx vitest run', 'node_modules/.bin/vitest'],
    ['npm run test', 'n\\\npm t'],
    ['a && b', 'a && b'],
    ['timeout -s KILL 60 npm test', 'npm t'],
    ['timeout 60 npm test', 'npm t'],
    ['npm exec vitest', 'vitest'],
    ['pnpm exec -- tsc', 'npx tsc'],
    ['uv run --frozen python -m pytest', 'py.test -q'],
    ['python3 -m unittest', 'python -m unittest discover'],
  ]
  for (const [rule, line] of names) assert.ok(mayCheck(line, [{ name: 'x', commands: [rule] }]), line)
  assert.ok(!mayCheck('git status && ls test run exec', rules))
})

test('long lines take linear time', async () => {
  const units = [
    '(',
    '$(',
    '{ ',
    '"',
    "'",
    '`',
    '\\',
    'a;',
    'npm test&&',
    'npm test|',
    '<<E\n',
    '[[ ',
    'if ',
    'A=1 ',
    'cd .;',
  ]
  const shapes = units.map((unit) => (length: number) => unit.repeat(length / unit.length))
  await assertLinear(shapes, (line) => readLine(line, 0, rules, { cwd, home: cwd }), 65_536)
})

test('a folder is the same by each of its paths, like /tmp and /private/tmp on macOS', (t) => {
  const folder = realpathSync(freshFolder(t))
  const [shop, link] = [join(folder, 'shop'), join(folder, 'link')]
  mkdirSync(shop)
  symlinkSync(shop, link)
  assert.deepEqual(checkNamesOf('npm test', 0, rules, { cwd: link, home: shop }), ['tests'])
  assert.deepEqual(checkNamesOf(`cd ${link} && npm test`, 0, rules, { cwd: shop, home: shop }), ['tests'])
  assert.deepEqual(checkNamesOf('npm test', 0, rules, { cwd: folder, home: shop }), [])
})

test('a line leaves a process with an & that is an operator, unless it waits or kills', () => {
  for (const line of [
    ...['sleep 9 &', '(a; b) >/dev/null 2>&1 &', 'nohup npx tsc -w & echo $!', 'a & wait\nb &', 'a&\nb'],
    ...["# don't\na &\necho 'b'", 'a & npx ready --wait', 'a & echo wait', 'PID="$(a & echo $!)"', "bash -c 'a &'"],
  ]) {
    assert.ok(leavesProcess(line), line)
  }
  for (const line of [
    ...['a && b', 'a 2>&1', 'a &> log', 'a |& tee log', 'a <&3', 'curl "http://x/?a=1&b=2"', "git commit -m 'A & B'"],
    ...['echo \\&', 'lint & tests & wait', 'a & b & wait; echo done', 'a & curl x; kill %1', 'echo $((6 & 3))', ''],
    ...["cat > a.rs <<'E'\nfn a(b: &str)\nE", '# R&D', 'git commit -F - <<E\nA & B\nE'],
  ]) {
    assert.ok(!leavesProcess(line), line)
  }
})
