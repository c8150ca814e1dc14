import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { conductHere } from './program.ts'
import { workplace } from './session.ts'
import { serverUser } from './user.ts'

test('at the database itself, the person is the one that git names', async (t) => {
  const { cwd, env } = workplace(t)
  const run = (...words: string[]) => conductHere(words, env, cwd)
  const git = (...words: string[]) =>
    execFileSync('git', ['config', ...words], { cwd, env: { ...process.env, ...env } })
  await run('run', 'create', '--run-id', 'A', '--status', 'failed', '--author', 'Ada <ada@example.com>')
  await run('run', 'create', '--run-id', 'B', '--status', 'failed', '--author', 'Bo <bo@example.com>')
  const found = await run('search', '--mine', 'false', '--quiet', 'A')
  assert.deepEqual([found.code, found.stdout], [0, 'A\n'])
  const mine = [
    ['search', '--mine', 'A', '--quiet'],
    ['run', 'list', '--mine', '--quiet'],
    ['attention', 'list', '--mine', '--quiet'],
  ]
  for (const words of mine) {
    assert.match((await run(...words)).stderr, /--mine needs a person, and git names none here: set user.email/)
  }
  git('user.name', 'Ada Example')
  git('user.email', 'Ada@Example.com')
  for (const words of mine) assert.equal((await run(...words)).stdout, 'A\n')
  await run('attention', 'update', 'B', '--assignee', 'me')
  const { stdout } = await run('attention', 'list', '--mine', 'true', '--json')
  assert.deepEqual(
    JSON.parse(stdout).attention.map((one: { runId: string; assignee: string | null }) => [one.runId, one.assignee]),
    [
      ['B', 'Ada Example <Ada@Example.com>'],
      ['A', null],
    ],
  )
  assert.match((await run('whoami')).stdout, /^person: +Ada Example <Ada@Example.com>$/m)
})

test('whoami says each thing once', async (t) => {
  const { env } = await serverUser(t)
  const { stdout } = await conductHere(['whoami'], env)
  const names = stdout.split('\n').map((line) => line.split(':')[0])
  assert.ok(names.includes('permissions'), stdout)
  assert.equal(new Set(names).size, names.length, stdout)
})
