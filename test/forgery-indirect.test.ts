import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { conduct } from './cli/program.ts'
import { claudeIn, syncAll, workplace } from './cli/session.ts'
import { writeFiles } from './cli/user.ts'

// What makes a command pass without testing anything. Nothing forbids it, so the check of the command says it: that of a
// hook, and that of `conduct check exec`.

type Session = Awaited<ReturnType<typeof session>>

/** A way to make a command pass, and what its check must say. */
interface Indirect {
  /** The files of the project, with the rule of its tests. */
  rule?: string
  files?: Record<string, string>
  does(s: Session): unknown
  says: RegExp
}

const setup = (path: string) => new RegExp(`^Changed since the session began: ${path.replaceAll('.', '\\.')}\\.`)
const wrote = (path: string, text: string, rule?: string, files?: Record<string, string>): Indirect => ({
  ...(rule && { rule }),
  ...(files && { files }),
  does: ({ write }) => write(path, text),
  says: setup(path),
})

const passes = '#!/bin/sh\nexit 0\n'

const indirect: Record<string, Indirect> = {
  'the script in package.json': wrote('package.json', '{ "scripts": { "test": "true" } }'),
  'the package.json of a workspace': wrote('web/package.json', '{ "scripts": { "test": "true" } }'),
  'script-shell in .npmrc': wrote('.npmrc', 'script-shell=/bin/true\n'),
  'the target of a Makefile': wrote('Makefile', 'test:\n\ttrue\n', 'make test', { Makefile: 'test:\n\tfalse\n' }),
  'a Makefile that includes another': wrote('rules.mk', 'test:\n\ttrue\n', 'make test', {
    Makefile: 'include rules.mk\n',
  }),
  'the configuration of Vitest': wrote('vitest.config.ts', 'export default { test: { include: [] } }'),
  'a setup file of Jest': wrote('jest.setup.js', 'process.exit(0)'),
  'conftest.py': wrote('conftest.py', 'collect_ignore_glob = ["*"]', 'sh -c true'),
  'pytest.ini': wrote('pytest.ini', '[pytest]\naddopts = --collect-only\n', 'sh -c true'),
  'the script that the command names': wrote('test.sh', passes, 'sh ./test.sh', { 'test.sh': 'exit 1\n' }),
  'a program in the project that is first on the PATH': {
    does: ({ cwd, env, program }) => {
      program(join(cwd, 'fake/npm'))
      env.PATH = `${join(cwd, 'fake')}:${env.PATH}`
    },
    says: /On the PATH, npm is fake\/npm, inside the project\./,
  },
  'a relative folder that is first on the PATH': {
    does: ({ cwd, env, program }) => {
      program(join(cwd, 'fake/npm'))
      env.PATH = `fake:${env.PATH}`
    },
    says: /On the PATH, npm is fake\/npm, inside the project\./,
  },
  'a program in a temporary folder that is first on the PATH': {
    does: ({ t, env, program }) => {
      const folder = mkdtempSync(join(tmpdir(), 'fake-'))
      t.after(() => rmSync(folder, { recursive: true }))
      program(join(folder, 'npm'))
      env.PATH = `${folder}:${env.PATH}`
    },
    says: /On the PATH, npm is \/\S+\/npm, in a folder for temporary files\./,
  },
  'an installed program that was replaced': {
    rule: 'vitest run',
    files: { '.gitignore': 'node_modules\n', 'node_modules/.bin/vitest': '#!/bin/sh\nexit 1\n' },
    does: ({ cwd, env, program }) => {
      program(join(cwd, 'node_modules/.bin/vitest'))
      env.PATH = `${join(cwd, 'node_modules/.bin')}:${env.PATH}`
    },
    says: /The program node_modules\/\.bin\/vitest changed since the session began\./,
  },
}

async function session(t: TestContext, { rule = 'npm test', files = {} }: Indirect) {
  const user = workplace(t)
  const { cwd, git } = user
  const env = { ...user.env, PATH: process.env.PATH ?? '' }
  writeFiles(cwd, {
    'conduct.json': JSON.stringify({ project: 'shop', checks: { tests: rule }, required: ['tests'] }),
    'package.json': '{ "scripts": { "test": "false" } }',
    ...files,
  })
  git('add', '-A')
  git('commit', '-qm', 'base')
  const claude = claudeIn(cwd, env)
  await claude.prompt('Work')
  await syncAll(env)
  const program = (path: string) => {
    writeFiles(join(path, '..'), { [path.slice(path.lastIndexOf('/') + 1)]: passes })
    chmodSync(path, 0o755)
  }
  return { ...user, t, env, claude, rule, write: claude.write, program }
}

/** What the checks of the only run say, by their recorder. */
async function contentsOf(s: Session): Promise<Record<string, string>> {
  await syncAll(s.env)
  const client = await s.ledger()
  const { checks } = await client.listChecks({})
  const whole = await Promise.all(checks.map(({ checkId }) => client.getCheck({ checkId })))
  return Object.fromEntries(whole.map(({ check }) => [check.recorder, check.content]))
}

for (const [what, forgery] of Object.entries(indirect)) {
  test(`a check says it: ${what}`, async (t) => {
    const s = await session(t, forgery)
    await forgery.does(s)
    await s.claude.use('Bash', { command: s.rule }, () => {})
    const words = s.rule.split(' ')
    const { stderr } = await conduct(
      ['check', 'exec', '--name', 'tests', '--', ...words],
      { ...s.env, CLAUDE_CODE_SESSION_ID: s.claude.session },
      s.cwd,
    )
    const { hook, exec } = await contentsOf(s)
    assert.match(hook ?? '', forgery.says)
    assert.match(exec ?? '', forgery.says, stderr)
  })
}

test('a check says it: variables that give options to what it runs', async (t) => {
  const s = await session(t, { rule: 'sh ./test.sh', files: { 'test.sh': 'echo fine\n' }, does: () => {}, says: / / })
  const words = ['check', 'exec', '--name', 'tests', '--', 'sh', './test.sh']
  const forged = { PYTEST_ADDOPTS: '-k one', npm_config_script_shell: '/bin/true', MAKEFLAGS: '' }
  await conduct(words, { ...s.env, ...forged, CLAUDE_CODE_SESSION_ID: s.claude.session }, s.cwd)
  const { exec } = await contentsOf(s)
  assert.match(exec ?? '', /^The environment sets PYTEST_ADDOPTS, npm_config_script_shell\.$/m)
})

test('a check of ordinary programs and files says nothing', async (t) => {
  const s = await session(t, { rule: 'sh ./test.sh', files: { 'test.sh': 'echo fine\n' }, does: () => {}, says: / / })
  await s.write('src/login.ts', 'answer(200)\n')
  await s.claude.use('Bash', { command: s.rule }, () => {})
  await conduct(
    ['check', 'exec', '--name', 'tests', '--', 'sh', './test.sh'],
    { ...s.env, CLAUDE_CODE_SESSION_ID: s.claude.session },
    s.cwd,
  )
  assert.deepEqual(await contentsOf(s), { hook: '', exec: 'fine\n' })
})
