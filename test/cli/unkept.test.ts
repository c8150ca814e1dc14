import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { freePort } from '../support/setup.ts'
import { conductHere } from './program.ts'
import { remoteUser, serverUser } from './user.ts'

test('if the state cannot be written, the command runs, and is recorded', async (t) => {
  const { env, cwd, ledger } = await serverUser(t)
  writeFileSync(join(env.HOME, 'file'), '')
  const { code, stdout, stderr } = await conductHere(
    ['exec', '--', 'echo', 'hi'],
    { ...env, XDG_STATE_HOME: join(env.HOME, 'file') },
    cwd,
  )
  assert.deepEqual([code, stdout], [0, 'hi\n'])
  assert.match(stderr, /What cannot be sent at once will be lost/)
  const { run } = await (await ledger()).getRun({ runId: 'RUN-001' })
  assert.deepEqual([run.status, run.content], ['completed', 'hi\n'])
  assert.deepEqual(readdirSync(env.HOME).sort(), ['file', 'shop'])
})

test('if nothing can be stored or sent, exec and check exec say that the record is lost', async (t) => {
  const { env, cwd } = remoteUser(t, `http://127.0.0.1:${await freePort()}/conduct`)
  writeFileSync(join(env.HOME, 'file'), '')
  const unwritable = { ...env, XDG_STATE_HOME: join(env.HOME, 'file') }
  for (const command of ['exec', 'check exec RUN-001']) {
    const { code, stdout, stderr } = await conductHere([...command.split(' '), '--', 'echo', 'hi'], unwritable, cwd)
    assert.deepEqual([code, stdout], [0, 'hi\n'], command)
    assert.match(stderr, /: The record was not sent, and is lost\.\n$/)
    assert.doesNotMatch(stderr, /is stored|conduct sync/)
    if (command === 'exec') {
      assert.match(stderr, /The command runs anyway; its record is lost unless it can be sent before it ends\.\n/)
    }
  }
})
