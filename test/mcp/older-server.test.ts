import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gitIn, remoteUser } from '../cli/user.ts'
import { olderServer } from '../support/older.ts'
import { openServer } from '../support/server.ts'
import { agentByStdio } from './connect.ts'

test('an agent reads a server of version 0.1, and learns that it cannot write there yet', async (t) => {
  const { url, upgrade, downgrade } = await olderServer(t, (await openServer(t)).url)
  const { env, cwd } = remoteUser(t, url)
  const git = gitIn(cwd)
  git('init', '-q')
  git('commit', '-q', '--allow-empty', '-m', 'first')
  const { call, refused } = await agentByStdio(t, env, cwd, '2025-11-25')
  assert.match(await refused('start_run', { title: 'Passkeys' }), /required: unknown field/)
  upgrade()
  const { runId } = (await call('start_run', { title: 'Passkeys' })).data
  downgrade()
  assert.match((await call('read_ledger', { id: runId })).text, /^# RUN-001: Passkeys\n/)
})
