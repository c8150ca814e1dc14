import assert from 'node:assert/strict'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { stateFile } from '../../src/capture/spool/state-file.ts'
import { hook, onlyRun, syncAll, workplace } from '../cli/session.ts'
import { writeFiles } from '../cli/user.ts'
import { agentByStdio } from './connect.ts'

test('a claim comes after the check of a command that hooks saw before, although its exit code is written later', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop", "checks": { "tests": "npm test" } }\n' })
  const transcript_path = join(env.HOME, 'rollout-2026-01-31T09-30-00-x.jsonl')
  const write = (payload: object) =>
    appendFileSync(transcript_path, `${JSON.stringify({ type: 'event_msg', payload })}\n`)
  const of = { session_id: 'x', turn_id: 't', transcript_path, cwd }
  const tell = (hook_event_name: string, more = {}) => hook('codex', { ...of, hook_event_name, ...more }, env)
  const tool = { tool_name: 'Bash', tool_input: { command: 'npm test' }, tool_use_id: 'exec-1' }
  write({ type: 'task_started' })
  await tell('UserPromptSubmit', { prompt: 'Go' })
  await syncAll(env)
  const agent = await agentByStdio(t, { ...env, CONDUCT_PROJECT: 'shop' }, cwd)
  await tell('PreToolUse', tool)
  await tell('PostToolUse', { ...tool, tool_response: 'ok' })
  // The claim waits longer for the exit code.
  const db = new DatabaseSync(stateFile(env))
  db.exec("update notes set at = at + 10000 where key = 'tool exec-1'")
  db.close()
  const claim = { name: 'tests', result: 'fail', content: 'They test nothing.' }
  const claimed = agent.call('record_check', claim, { sessionId: 'x' }).finally(() => agent.client.close())
  await sleep(2_000)
  const item = { type: 'CommandExecution', id: 'exec-1', exit_code: 0, duration: { secs: 1, nanos: 0 } }
  write({ type: 'item_completed', item })
  assert.match((await claimed).text, /RUN-001 is failing/)
  await tell('Stop', { last_assistant_message: 'Done.' })
  await syncAll(env)
  const { runId, verdict } = await onlyRun(user)
  const { checks } = await (await user.ledger()).listChecks({ runId, order: 'asc' })
  assert.deepEqual(
    [verdict, ...checks.map(({ evidence, result }) => `${evidence} ${result}`)],
    ['failing', 'executed pass', 'self fail'],
  )
})
