import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setsUpTests } from '../../src/nouns/run/verdict/test-setup.ts'
import { assertLinear } from '../support/linear.ts'

test('files that decide what a check tests are known by their names, or by its command', () => {
  const yes = ['package.json', 'apps/web/package.json', 'Makefile', 'rules.mk', 'pytest.ini', 'tests/conftest.py']
  yes.push(
    'vitest.config.ts',
    'jest.setup.js',
    '.eslintrc.json',
    'tsconfig.build.json',
    'go.mod',
    'app/build.gradle.kts',
  )
  yes.push('.mocharc', 'biome.json', 'pyproject.toml', 'pom.xml', 'App.Tests/App.Tests.csproj', '.rspec', 'mise.toml')
  for (const path of yes) assert.ok(setsUpTests(path, ['npm', 'test']), path)
  const no = [
    'src/package.ts',
    'package.json.md',
    'Makefile/readme',
    'src/config.ts',
    'tests/a.test.ts',
    'conftest.pyc',
    '',
  ]
  for (const path of no) assert.ok(!setsUpTests(path, ['npm', 'test']), path)
  assert.ok(setsUpTests('scripts/test.sh', ['./scripts/test.sh', '--all']))
  assert.ok(setsUpTests('scripts/test.sh', ['bash', 'scripts/test.sh']))
  assert.ok(!setsUpTests('scripts/test.sh', ['bash', 'scripts/lint.sh']))
})

test('a long path takes linear time', () =>
  assertLinear(
    ['a', '.', '/', 'tsconfig.', 'a.mk', '.eslintrc.'].map(
      (unit) => (length: number) => unit.repeat(length / unit.length),
    ),
    (path) => setsUpTests(`tsconfig.${path}`, [path]),
    131_072,
  ))
