import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { stateOf } from '../../src/capture/spool/state-file.ts'
import { conduct, type ProgramEnv, programOf } from './program.ts'
import { workplace } from './session.ts'
import { localUser } from './user.ts'

const wrong = 'localhost:3471/conduct'
const fault = `CONDUCT_URL: '${wrong}' is not the address of a server. One looks like https://ledger.example.com/conduct, with the base path.`

/** The names of what is stored to be sent. */
function storedBy(env: ProgramEnv): string[] {
  using state = stateOf(env)
  return [...state.noted(), ...state.unsent().map(({ name }) => name)]
}

test('a CONDUCT_URL that is no address is a usage error', async (t) => {
  const { env, cwd } = localUser(t, { CONDUCT_URL: wrong })
  const { all } = programOf(env, cwd)
  for (const words of ['run list', 'run create', 'status', 'erase --everything --yes', 'whoami', 'open --print']) {
    assert.deepEqual(await all(words), { code: 2, stdout: '', stderr: `conduct: ${fault}\n` }, words)
  }
  for (const url of [
    'http://me:word@localhost/conduct',
    'ftp://localhost',
    'http://localhost/conduct?a=1',
    'localhost',
  ]) {
    const { code, stderr } = await programOf({ ...env, CONDUCT_URL: url }, cwd).all('run list')
    assert.deepEqual([code, stderr.includes('word')], [2, false], url)
  }
  assert.equal((await all('whoami --profile local')).code, 0, 'a flag wins')
  const doctor = await all('doctor')
  assert.equal(doctor.code, 1)
  assert.match(doctor.stdout, /^fail +ledger +CONDUCT_URL: 'localhost:3471\/conduct' is not the address/m)
})

test('with a wrong variable or conduct.json, exec and check exec run the command, and store nothing that can never be sent', async (t) => {
  const { env, cwd } = localUser(t)
  const mistakes = [
    [{ CONDUCT_URL: wrong }, fault, undefined],
    [{ CONDUCT_DATABASE_URL: 'mysql://x' }, 'CONDUCT_DATABASE_URL must be', undefined],
    [{}, 'conduct.json must be', '{'],
  ] as const
  for (const [more, words, file] of mistakes) {
    if (file) writeFileSync(join(cwd, 'conduct.json'), file)
    for (const command of ['exec', 'check exec RUN-001']) {
      const shell = ['--', 'sh', '-c', 'echo hi; exit 3']
      const { code, stdout, stderr } = await conduct([...command.split(' '), ...shell], { ...env, ...more }, cwd)
      assert.deepEqual([code, stdout], [3, 'hi\n'], command)
      const [said = '', then] = stderr.trimEnd().split('\n')
      assert.ok(said.includes(words), said)
      assert.match(then ?? '', /: The command runs anyway; it is not recorded\.$/)
    }
  }
  assert.deepEqual(storedBy(env), [])
  writeFileSync(join(cwd, 'conduct.json'), '{ "project": "shop", "checks": 5 }')
  await conduct(['run', 'create', '--run-id', 'RUN-001'], env, cwd)
  const { code } = await conduct(['check', 'exec', 'RUN-001', '--', 'sh', '-c', 'exit 3'], env, cwd)
  assert.equal(code, 3)
  assert.match((await conduct(['check', 'list'], env, cwd)).stdout, /Claimed by its author/)
})

test('with an empty CONDUCT_URL, exec says that it records on this machine', async (t) => {
  const { env, cwd } = localUser(t, { CONDUCT_URL: '' })
  const exec = (env: ProgramEnv) => conduct(['exec', '--', process.execPath, '-e', '0'], env, cwd)
  const words = /^conduct exec: CONDUCT_URL is empty, so this records to sqlite:.+\.db\.$/m
  assert.match((await exec(env)).stderr, words)
  const { CONDUCT_URL: _, ...unset } = env
  assert.doesNotMatch((await exec(unset)).stderr, /CONDUCT_URL/)
})

test('a hook with a wrong CONDUCT_URL leaves the agent alone, and the doctor says what it missed', async (t) => {
  const { env, cwd } = workplace(t)
  const document = { session_id: 's-1', prompt_id: 'p', cwd, hook_event_name: 'UserPromptSubmit', prompt: 'Go' }
  const ran = await conduct(['hook', 'claude'], { ...env, CONDUCT_URL: wrong }, cwd, JSON.stringify(document))
  assert.deepEqual(ran, { code: 0, stdout: '', stderr: '' })
  assert.deepEqual(storedBy(env), [])
  const { run } = programOf(env, cwd)
  await run('init --agents claude')
  assert.ok((await run('doctor')).includes(`a hook of Claude Code recorded nothing: ${fault}`))
})
