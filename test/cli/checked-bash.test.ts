import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readLine } from '../../src/capture/command/checked.ts'
import { mayCheck } from '../../src/place/rules.ts'
import fc from '../support/random.ts'
import { freshFolder } from './folder.ts'
import { masking, sound } from './lines.ts'

const rules = [
  { name: 'tests', commands: ['npm test'] },
  { name: 'lint', commands: ['npm run lint'] },
]

/** A folder with an `npm` that writes down how it was called, and ends as it is told. */
function shell(t: TestContext) {
  const folder = realpathSync(freshFolder(t))
  const [bin, home, log] = [join(folder, 'bin'), join(folder, 'home'), join(folder, 'log')]
  mkdirSync(bin)
  mkdirSync(home)
  writeFileSync(
    join(bin, 'npm'),
    `#!/bin/sh\ncase "$*" in *lint*) code=$LINT; name=lint;; *) code=$TESTS; name=tests;; esac\necho "$name $code" >> '${log}'\nexit $code\n`,
  )
  chmodSync(join(bin, 'npm'), 0o755)
  // A login shell sets its own PATH.
  writeFileSync(join(home, '.bash_profile'), `PATH='${bin}':$PATH\n`)
  return (line: string, codes: { tests: number; lint: number }) => {
    writeFileSync(log, '')
    const { status } = spawnSync('bash', ['-c', line], {
      cwd: home,
      env: { PATH: `${bin}:/usr/bin:/bin`, TESTS: `${codes.tests}`, LINT: `${codes.lint}`, HOME: home },
      stdio: 'ignore',
      timeout: 20_000,
    })
    assert.notEqual(status, null, line)
    const ran = readFileSync(log, 'utf8').split('\n').filter(Boolean)
    return { status: status as number, ran, found: readLine(line, status as number, rules, { cwd: home, home }) }
  }
}

const codes = [0, 1, 3]

test('in bash, the exit code of each sound line is that of its check', (t) => {
  const run = shell(t)
  for (const line of sound) {
    for (const code of codes) {
      const { status, found } = run(line, { tests: code, lint: 0 })
      assert.equal(status, code, `${line} ended with ${status}`)
      const tests = found.checks.find(({ name }) => name === 'tests')
      assert.equal(tests?.exitCode, code, line)
    }
  }
})

test('in bash, the exit code of no masking line tells that of the test, and none is a check', (t) => {
  const run = shell(t)
  assert.ok(masking.length >= 60)
  const told: string[] = []
  for (const line of masking) {
    const ends = codes.map((tests) => run(line, { tests, lint: 0 }))
    for (const { found } of ends) assert.deepEqual(found.checks, [], line)
    const isTold = ends.every(({ status, ran }, at) => status === codes[at] && ran.length === 1)
    if (isTold) told.push(line)
  }
  assert.deepEqual(told, [], 'these tell the exit code of their check')
})

const simple = fc.constantFrom(
  ...['npm test', 'npm run lint', 'npm test | tail', 'true', 'false', 'echo a', 'set -e', 'set +e', 'set -o pipefail'],
  ...['cd .', 'cd /', 'cd gone', 'npm test | npm run lint', 'exit 0', 'exit 3', ':', 'export CI=1', 'export X=1'],
  ...[
    '! npm test',
    'time npm run lint',
    'ls gone',
    'CI=1 npm t',
    'bash -c "npm test; true"',
    'bash -ec "npm test; true"',
  ],
)
const { line } = fc.letrec((tie) => ({
  line: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { weight: 3, arbitrary: simple },
    { weight: 3, arbitrary: fc.tuple(tie('line'), tie('line')).map(([one, other]) => `${one} && ${other}`) },
    { weight: 3, arbitrary: fc.tuple(tie('line'), tie('line')).map(([one, other]) => `${one}; ${other}`) },
    { weight: 1, arbitrary: fc.tuple(tie('line'), tie('line')).map(([one, other]) => `${one} || ${other}`) },
    { weight: 1, arbitrary: tie('line').map((one) => `(${one})`) },
    { weight: 1, arbitrary: tie('line').map((one) => `{ ${one}; }`) },
    { weight: 1, arbitrary: tie('line').map((one) => `${one} | cat`) },
    { weight: 1, arbitrary: tie('line').map((one) => `if ${one}; then true; fi`) },
  ) as fc.Arbitrary<string>,
}))

test('in bash, each check found in any line ran, with that exit code', (t) => {
  const run = shell(t)
  const code = fc.constantFrom(0, 0, 1, 3)
  let found = 0
  fc.assert(
    fc.property(line, code, code, (text, tests, lint) => {
      const end = run(text, { tests, lint })
      for (const check of end.found.checks) {
        found++
        assert.ok(mayCheck(text, rules), text)
        assert.ok(end.ran.includes(`${check.name} ${check.exitCode}`), `${text} ended with ${end.status}: ${end.ran}`)
      }
    }),
    { numRuns: 300 },
  )
  assert.ok(found > 20, `only ${found}`)
})
