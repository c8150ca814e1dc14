import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { stateFile } from '../../src/capture/spool/state-file.ts'
import type { ProgramEnv } from './program.ts'
import { type Document, hook, onlyRun, syncAll, turnsOf, workplace } from './session.ts'
import { writeFiles } from './user.ts'

/** A session of Factory Droid in a folder: it runs no hook after a command that failed, and writes that only to its transcript. */
function droidIn(cwd: string, env: ProgramEnv) {
  const transcript = join(env.HOME ?? '', '.factory/sessions/demo/s-1.jsonl')
  mkdirSync(dirname(transcript), { recursive: true })
  let ids = 0
  const wrote = (role: string, content: Document[]) => {
    const head = { type: 'message', id: `m${++ids}`, timestamp: new Date().toISOString() }
    appendFileSync(transcript, `${JSON.stringify({ ...head, message: { role, content } })}\n`)
  }
  const tell = (hook_event_name: string, more: Document = {}) =>
    hook('droid', { session_id: 's-1', transcript_path: transcript, cwd, hook_event_name, ...more }, env)
  return {
    prompt: async (prompt: string) => {
      await tell('UserPromptSubmit', { prompt })
      wrote('user', [{ type: 'text', text: prompt }])
    },
    /** Runs a command: what it does, and its exit code. */
    run: async (command: string, code: number, work: () => unknown = () => {}) => {
      const tool = { tool_name: 'Execute', tool_input: { command } }
      const id = `toolu_${++ids}`
      wrote('assistant', [{ type: 'tool_use', id, name: 'Execute', input: { command } }])
      await tell('PreToolUse', tool)
      work()
      const content = `${code === 0 ? '' : `Error: Command failed (exit code: ${code})\n`}\n\n[Process exited with code ${code}]`
      if (code === 0) await tell('PostToolUse', { ...tool, tool_response: content })
      wrote('user', [{ type: 'tool_result', tool_use_id: id, is_error: code !== 0, content }])
    },
    stop: async () => {
      wrote('assistant', [{ type: 'text', text: 'Done.' }])
      await tell('Stop')
      appendFileSync(transcript, `${JSON.stringify({ type: 'agent_turn_outcome', reason: 'completed' })}\n`)
    },
    end: () => tell('SessionEnd', { reason: 'other' }),
  }
}

async function session(t: TestContext) {
  const user = workplace(t)
  const { cwd, env, git } = user
  writeFiles(cwd, {
    'conduct.json': '{ "project": "shop", "checks": { "tests": "npm test" }, "required": ["tests"] }\n',
  })
  git('commit', '-qam', 'checks')
  const droid = droidIn(cwd, env)
  await droid.prompt('Work')
  const edit = () => writeFiles(cwd, { 'src/login.ts': 'answer(401)\n' })
  const ended = async () => {
    await droid.stop()
    await droid.end()
    await syncAll(env)
    const { runId, verdict, changes } = await onlyRun(user)
    const { checks } = await (await user.ledger()).listChecks({ runId, order: 'asc' })
    return { verdict, changes, checks, turns: await turnsOf(user) }
  }
  return { ...user, droid, edit, ended }
}

for (const [what, codes, verdict] of [
  ['fails', [1], 'failing'],
  ['passes and then fails on the same work', [0, 1], 'failing'],
  ['fails and then passes', [1, 0], 'verified'],
  ['fails, passes and fails again', [1, 0, 1], 'failing'],
] as const) {
  test(`a check of Droid that ${what}: ${verdict}`, async (t) => {
    const { droid, edit, ended } = await session(t)
    await droid.run('sed -i s/500/401/ src/login.ts', 0, edit)
    for (const code of codes) await droid.run('npm test', code)
    const { checks, verdict: found, turns } = await ended()
    assert.deepEqual([found, checks.map(({ exitCode }) => exitCode)], [verdict, codes])
    assert.ok(checks.every(({ tree, startTree, evidence }) => tree && tree === startTree && evidence === 'executed'))
    const [turn] = turns
    assert.deepEqual(
      turn?.commands?.slice(1).map(({ exitCode }) => exitCode),
      codes,
    )
    const failed = codes.filter((code) => code !== 0).length
    assert.deepEqual(turn?.tools, [{ name: 'Execute', count: 1 + codes.length, ...(failed > 0 && { failed }) }])
  })
}

test('the next hook of Droid records a check that failed', async (t) => {
  const { droid, env, ledger } = await session(t)
  await droid.run('npm test', 1)
  await droid.run('ls', 0)
  await syncAll(env)
  const { runs } = await (await ledger()).listRuns({})
  assert.equal(runs[0]?.verdict, 'failing')
})

test('what a failed command of Droid changed is the work of the session', async (t) => {
  const { droid, edit, ended } = await session(t)
  await droid.run('npm test', 0)
  await droid.run('sed -i s/500/401/ src/login.ts; false', 1, edit)
  const { verdict, changes, turns } = await ended()
  assert.deepEqual([verdict, changes?.files, turns[0]?.files?.map(({ path }) => path)], ['stale', 1, ['src/login.ts']])
})

test('a check that fails before Droid is killed counts', async (t) => {
  const { droid, env, ledger } = await session(t)
  await droid.run('npm test', 0)
  await droid.run('npm test', 1)
  const db = new DatabaseSync(stateFile(env))
  db.exec(`update recordings set agent_process = json_set(agent_process, '$.pid', ${2 ** 22 + 1}), agent_proven = 1`)
  db.close()
  await syncAll(env)
  const { runs } = await (await ledger()).listRuns({})
  assert.deepEqual([runs[0]?.status, runs[0]?.verdict], ['failed', 'failing'])
})
