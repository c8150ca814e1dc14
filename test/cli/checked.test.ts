import assert from 'node:assert/strict'
import { mkdirSync, realpathSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkNamesOf } from '../../src/cli/record/checked.ts'
import { assertLinear } from '../support/linear.ts'
import { freshFolder } from './folder.ts'

const rules = [
  { name: 'tests', patterns: ['npm test*', 'pytest'] },
  { name: 'lint', patterns: ['npm run lint', 'biome * --ci'] },
]
const cwd = '/shop'

/** A command line, its exit code, and the names of the checks that Conduct records for it. */
const cases: [string, number | undefined, string[]][] = [
  ['npm test', 0, ['tests']],
  ['npm test', 1, ['tests']],
  ['npm test -- --watch=false > out.txt 2>&1', 1, ['tests']],
  ['npm test', undefined, []],
  ['npm tests', 0, ['tests']],
  ['pytest', 0, ['tests']],
  ['pytest -x', 0, []],
  ['pnpm test', 0, []],
  ['biome check src --ci', 1, ['lint']],
  ['CI=1 FORCE_COLOR=0 npm test', 1, ['tests']],
  ["npm test -- -t 'a | b; c && d'", 1, ['tests']],
  ['npm test -- -t "a || $x & b"', 1, ['tests']],
  // The exit code belongs to another command of the line.
  ['npm test | tail -20', 0, []],
  ['npm test 2>&1 | tee log', 0, []],
  ['npm test || true', 0, []],
  ['npm test; echo $?', 0, []],
  ['npm test &', 0, []],
  ['npm test\necho done', 0, []],
  ['! npm test', 0, []],
  ['(npm test)', 0, []],
  // In a chain of &&, either all commands passed, or one of them failed.
  ['npm run lint && npm test', 0, ['lint', 'tests']],
  ['npm run lint && npm test', 1, []],
  ['npm ci && npm test', 0, ['tests']],
  ['npm ci && npm test', 1, []],
  ['npm test && npm test', 0, ['tests']],
  // In another folder, the same command is another check.
  ['cd /shop && npm test', 1, ['tests']],
  ["cd '/shop/' && npm test", 0, ['tests']],
  ['cd packages/a && npm test', 0, []],
  ['cd packages/a && cd ../.. && npm test', 0, ['tests']],
  ['cd "$HOME" && npm test', 0, []],
  ['cd && npm test', 0, []],
  ['pushd src && npm test', 0, []],
]

for (const [line, exitCode, names] of cases) {
  test(`${JSON.stringify(line)} that ended with ${exitCode} is ${names.join(' and ') || 'no check'}`, () => {
    assert.deepEqual(checkNamesOf(line, exitCode, rules, { cwd, home: cwd }), names)
  })
}

test('a command in another folder is not a check', () => {
  assert.deepEqual(checkNamesOf('npm test', 0, rules, { cwd: '/shop/packages/a', home: cwd }), [])
  assert.deepEqual(checkNamesOf('cd ../.. && npm test', 0, rules, { cwd: '/shop/packages/a', home: cwd }), ['tests'])
  assert.deepEqual(checkNamesOf('npm test', 0, rules, { cwd, home: undefined }), [])
})

test('long lines and patterns take linear time', async () => {
  const shapes = [
    (length: number) => `npm test ${'\\'.repeat(length)}`,
    (length: number) => `npm test ${'"'.repeat(length | 1)}`,
    (length: number) => `A=${'b '.repeat(length / 2)}npm test`,
    (length: number) => '&&'.repeat(length / 2),
    (length: number) => 'a'.repeat(length),
  ]
  const stars = [{ name: 'x', patterns: [`${'*a'.repeat(90)}*b`] }]
  await assertLinear(shapes, (line) => checkNamesOf(line, 0, stars, { cwd, home: cwd }), 200_000)
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
