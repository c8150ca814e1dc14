import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Checks, proposedChecks, proposedRequired } from '../../src/cli/init/checks.ts'
import { checkRules, starredCommands } from '../../src/place/rules.ts'
import { project } from './entered.ts'
import { freshFolder } from './folder.ts'
import { writeFiles } from './user.ts'

const scripts = (all: object) => JSON.stringify({ scripts: all })

const cases: [name: string, files: Record<string, string>, checks: Checks, required?: string[]][] = [
  ['no file', {}, {}, []],
  [
    'npm',
    { 'package.json': scripts({ test: 'vitest run', check: 'x', lint: 'eslint .', typecheck: 'tsc', tsc: 'tsc -b' }) },
    { tests: 'npm test', lint: 'npm run lint', types: 'npm run typecheck' },
  ],
  [
    'the script of npm init',
    { 'package.json': scripts({ test: 'echo "Error: no test specified" && exit 1' }) },
    {},
    [],
  ],
  [
    'pnpm',
    { 'package.json': scripts({ test: 'jest', build: 'tsc -b' }), 'pnpm-lock.yaml': '' },
    { tests: 'pnpm test', build: 'pnpm run build' },
  ],
  ['bun', { 'package.json': scripts({ test: 'vitest' }), 'bun.lock': '' }, { tests: 'bun run test' }],
  ['no tests', { 'package.json': scripts({ lint: 'eslint .' }) }, { lint: 'npm run lint' }, []],
  [
    'make',
    { Makefile: 'CC := gcc\nlint = x\n.PHONY: test\ntest: build\n\tgo test\nbuild:\n\ttrue\n# check: no\n' },
    { tests: 'make test', build: 'make build' },
  ],
  [
    'mise',
    { 'mise.toml': '[tasks.test]\nrun = "go test ./..."\n[tasks."test:ci"]\nrun = "x"\n', 'go.mod': 'module a\n' },
    { tests: ['mise run test', 'go test ./...'], lint: 'go vet ./...' },
  ],
  [
    'Python with pytest and ruff',
    { 'pyproject.toml': '[dependency-groups]\ndev = ["pytest>=8", "ruff"]\n', 'uv.lock': '' },
    { tests: 'pytest', lint: 'ruff check' },
  ],
  [
    'Python with its tests in one folder',
    { 'pyproject.toml': '[tool.pytest.ini_options]\ntestpaths = ["tests"]\n[tool.tox]\n[tool.mypy]\nfiles = "a"\n' },
    { tests: ['pytest', 'pytest tests', 'pytest tests/'], types: 'mypy' },
  ],
  [
    'Python with mypy settings',
    { 'pyproject.toml': '[project]\nname = "a"\n[tool.mypy]\nstrict = true\n' },
    { types: 'mypy .' },
    [],
  ],
  [
    'Rust',
    { 'Cargo.toml': '[package]\nname = "a"\n' },
    { tests: 'cargo test', lint: ['cargo clippy', 'cargo clippy -- -D warnings'] },
  ],
  [
    'a workspace of Rust',
    { 'Cargo.toml': '[workspace]\nmembers = ["a"]\n' },
    {
      tests: ['cargo test', 'cargo test --workspace', 'cargo test --all'],
      lint: ['cargo clippy', 'cargo clippy -- -D warnings'],
    },
  ],
  [
    'Go with golangci-lint',
    { 'go.mod': 'module a\n', '.golangci.yml': '' },
    { tests: 'go test ./...', lint: 'golangci-lint run' },
  ],
  [
    'several files, one of them unreadable',
    { 'package.json': '{', 'go.mod': 'module a\n', Makefile: 'test:\n\tgo test ./...\n' },
    { tests: ['make test', 'go test ./...'], lint: 'go vet ./...' },
  ],
  [
    'two languages',
    { 'package.json': scripts({ test: 'vitest' }), 'go.mod': 'module a\n' },
    { tests: 'npm test', 'tests-go': 'go test ./...', lint: 'go vet ./...' },
    ['tests', 'tests-go'],
  ],
  [
    'two languages, and a target for both',
    { 'package.json': scripts({ test: 'vitest' }), 'go.mod': 'module a\n', Makefile: 'test:\n\ttrue\n' },
    { tests: 'make test', lint: 'go vet ./...' },
  ],
]

for (const [name, files, checks, required = ['tests']] of cases) {
  test(`init proposes checks from the files of the project: ${name}`, (t) => {
    const root = freshFolder(t)
    writeFiles(root, files)
    assert.deepEqual(proposedChecks(root), checks)
    assert.deepEqual(proposedRequired(checks), required)
    // The proposed checks must be valid rules.
    writeFiles(root, { 'conduct.json': JSON.stringify({ project: 'shop', checks }) })
    assert.equal(checkRules(root).length, Object.keys(checks).length)
    assert.deepEqual(starredCommands(root), [])
  })
}

test('init keeps existing rules, even for commands it does not know, and the user can decline proposals', async (t) => {
  const files = { 'go.mod': 'module a\n' }
  const own = { project: 'shop', checks: { tests: './test.sh' } }
  const kept = project(t, { ...files, 'conduct.json': JSON.stringify(own) })
  const { stdout } = await kept.init('--yes', '--agents', 'claude')
  assert.doesNotMatch(stdout, /go test/)
  assert.deepEqual(JSON.parse(kept.read('conduct.json')), own)
  await kept.init('--remove')
  assert.deepEqual(JSON.parse(kept.read('conduct.json')), own, 'they are not ours to take out')

  const none = project(t, { ...files, 'conduct.json': '{ "project": "shop", "checks": {} }' })
  assert.doesNotMatch((await none.init('--agents', 'claude')).stdout, /^check /m)
  assert.deepEqual(JSON.parse(none.read('conduct.json')), { project: 'shop', checks: {} })

  const declined = project(t, files)
  await declined.init('--no-checks', '--agents', 'claude')
  assert.deepEqual(JSON.parse(declined.read('conduct.json')), { project: 'shop' })
  await declined.init('--agents', 'claude', '--project', 'store')
  assert.deepEqual(JSON.parse(declined.read('conduct.json')), {
    project: 'store',
    checks: { tests: 'go test ./...', lint: 'go vet ./...' },
    required: ['tests'],
  })
})
