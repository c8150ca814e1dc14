import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gitIn, remoteUser } from '../cli/user.ts'
import { olderServer } from '../support/older.ts'
import { openServer } from '../support/server.ts'
import { agentByStdio } from './connect.ts'

test('an agent works on a server without turns and trees', async (t) => {
  const { url } = await olderServer(t, (await openServer(t)).url)
  const { env, cwd } = remoteUser(t, url)
  const git = gitIn(cwd)
  git('init', '-q')
  git('commit', '-q', '--allow-empty', '-m', 'first')
  const { call } = await agentByStdio(t, env, cwd, '2025-11-25')
  const { runId } = (await call('start_run', { title: 'Passkeys' })).data
  const check = { name: 'tests', result: 'pass', command: 'npm test', exitCode: 0, runId }
  assert.match((await call('record_check', check)).text, /^CHECK-001: tests pass\. RUN-001 is verified/)
  assert.match((await call('read_ledger', { id: runId })).text, /^# RUN-001: Passkeys\n/)
  await call('finish_run', { runId, summary: 'Done.', status: 'completed' })
})
