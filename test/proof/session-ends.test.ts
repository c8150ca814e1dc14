import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stateOf } from '../../src/capture/spool/state-file.ts'
import { waitingIn } from '../cli/folder.ts'
import { start } from '../cli/program.ts'
import { claudeIn, syncAll, untilNobodyRuns, workplace } from '../cli/session.ts'
import { writeFiles } from '../cli/user.ts'
import { size } from './size.ts'

const sessions = size(4, 500)
const files = size(200, 12_000)
const atOnce = 4

test('sessions whose last two hooks run together all end, without another hook or sync', {
  timeout: 3_600_000,
}, async (t) => {
  const user = workplace(t)
  const { env, cwd, git } = user
  writeFiles(cwd, Object.fromEntries(Array.from({ length: files }, (_, n) => [`src/${n % 100}/${n}.ts`, `${n}\n`])))
  git('add', '-A')
  git('commit', '-q', '-m', 'many files')
  for (let from = 0; from < sessions; from += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, sessions - from) }, (_, n) => `session-${from + n}`)
    for (const session of some) await claudeIn(cwd, env, session).prompt(session)
    await syncAll(env)
    // As with a real agent, each hook is a process, and starts the process that sends.
    const hooks = some.flatMap((session_id) =>
      ['Stop', 'SessionEnd'].map((hook_event_name) => {
        const document = {
          session_id,
          cwd,
          transcript_path: `${env.HOME}/.claude/projects/demo/${session_id}.jsonl`,
          prompt_id: 'p',
          hook_event_name,
        }
        return start(['hook', 'claude'], env, cwd, JSON.stringify(document)).ran
      }),
    )
    for (const ran of await Promise.all(hooks)) assert.deepEqual(ran, { code: 0, stdout: '', stderr: '' })
  }
  untilNobodyRuns(env.HOME)
  const state = stateOf(env)
  t.after(() => state.close())
  assert.deepEqual([state.noted(), waitingIn(state)], [[], []])
  const client = await user.ledger()
  const open = await client.listRuns({ status: ['in_progress', 'pending'] })
  assert.deepEqual(
    open.runs.map(({ title }) => title),
    [],
  )
  const completed = await client.listRuns({ limit: 100, status: ['completed'] })
  assert.equal(completed.runs.length, Math.min(sessions, 100), 'none was interrupted')
})
