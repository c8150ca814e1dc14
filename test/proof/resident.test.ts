import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { launchedUser, processesOf } from '../cli/launched.ts'
import { syncAll } from '../cli/session.ts'
import { size } from './size.ts'

const sessions = size(2, 500)
const atOnce = 2
const commands = 3

test('sessions whose recorder is killed at random lose nothing, and have nothing twice', {
  timeout: 7_200_000,
}, async (t) => {
  const user = launchedUser(t)
  const { cwd, env } = user
  let kills = 0
  let isOver = false
  const killing = (async () => {
    while (!isOver) {
      await sleep(Math.random() * 1_500)
      for (const pid of processesOf(env.HOME, ' recorder')) {
        try {
          process.kill(pid, 'SIGKILL')
          kills += 1
        } catch {}
      }
    }
  })()
  const play = async (session_id: string) => {
    const of = { session_id, cwd, transcript_path: `${cwd}/none.jsonl`, prompt_id: 'p' }
    await user.tell({ ...of, hook_event_name: 'UserPromptSubmit', prompt: session_id })
    for (let n = 1; n <= commands; n++) {
      const tool = { tool_name: 'Bash', tool_input: { command: `true ${n}` }, tool_use_id: `${session_id}-${n}` }
      await user.tell({ ...of, ...tool, hook_event_name: 'PreToolUse' })
      await user.tell({ ...of, ...tool, hook_event_name: 'PostToolUse', tool_response: {}, duration_ms: 5 })
    }
    await user.tell({ ...of, hook_event_name: 'Stop', last_assistant_message: 'Done.' })
    await user.tell({ ...of, hook_event_name: 'SessionEnd', reason: 'other' })
  }
  const names = Array.from({ length: sessions }, (_, n) => `session-${n}`)
  const left = names.values()
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const name of left) await play(name)
    }),
  )
  isOver = true
  await killing
  await syncAll(env)
  const client = await user.ledger()
  const runs = await Array.fromAsync(client.all('listRuns', {}))
  assert.deepEqual(runs.map(({ title }) => title).sort(), names.toSorted())
  for (const { runId, title, status } of runs) {
    const { turns } = await client.listTurns({ runId })
    assert.deepEqual(
      [
        status,
        ...turns.map(({ prompt, answer, commands }) => [prompt, answer, commands?.map(({ command }) => command)]),
      ],
      ['completed', [title, 'Done.', Array.from({ length: commands }, (_, n) => `true ${n + 1}`)]],
    )
  }
  t.diagnostic(`${sessions} sessions, ${kills} kills`)
})
