import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { observe } from '../../src/capture/hook/observe.ts'
import { socketOf } from '../../src/capture/hook/resident.ts'
import { launched } from '../../src/capture/hook/senders.ts'
import { stateFile } from '../../src/capture/spool/state-file.ts'
import { launchedUser, processesOf } from './launched.ts'
import { onlyRun, runsOf, syncAll, turnsOf, untilNobodyRuns } from './session.ts'

const session = '3f2504e0-4f89-41d3-9a0c-0305e82c3301'

/** The documents of a session of one command, in their order. */
const documentsIn = (cwd: string, session_id = session) => {
  const of = { session_id, cwd, transcript_path: `${cwd}/none.jsonl`, prompt_id: 'p1' }
  const tool = { tool_name: 'Bash', tool_input: { command: 'npm test' }, tool_use_id: 'toolu_1' }
  return {
    start: { ...of, hook_event_name: 'SessionStart', source: 'startup' },
    prompt: { ...of, hook_event_name: 'UserPromptSubmit', prompt: 'Fix the login' },
    before: { ...of, ...tool, hook_event_name: 'PreToolUse' },
    after: { ...of, ...tool, hook_event_name: 'PostToolUse', tool_response: {}, duration_ms: 5 },
    stop: { ...of, hook_event_name: 'Stop', last_assistant_message: 'Done.' },
    end: { ...of, hook_event_name: 'SessionEnd', reason: 'other' },
  }
}

/** A folder with a `curl` that waits for the recorder longer than its launcher tells it. */
function patientCurl(folder: string) {
  const curl = execFileSync('sh', ['-c', 'command -v curl'], { encoding: 'utf8' }).trim()
  const programs = join(folder, 'patient')
  mkdirSync(programs)
  writeFileSync(join(programs, 'curl'), `#!/bin/sh\nexec ${curl} "$@" --max-time 60\n`, { mode: 0o755 })
  return programs
}

test('a resident recorder takes the hooks of a session, and Node.js starts once', async (t) => {
  const user = launchedUser(t)
  const { start, ...rest } = documentsIn(user.cwd)
  await user.tell(start)
  await user.tell(rest.prompt)
  await user.listening()
  const started = user.starts()
  assert.equal(statSync(socketOf(user.env)).mode & 0o777, 0o600)
  const patient = { PATH: `${patientCurl(user.folder)}:${user.env.PATH}` }
  for (const document of [rest.before, rest.after, rest.stop, rest.end]) await user.tell(document, 'claude', patient)
  assert.equal(user.starts(), started)
  await syncAll(user.env)
  const run = await onlyRun(user)
  assert.deepEqual([run.status, run.title, run.git?.branch], ['completed', 'Fix the login', 'main'])
  const [turn] = await turnsOf(user)
  assert.deepEqual([turn?.answer, turn?.commands?.length], ['Done.', 1])
  rmSync(socketOf(user.env))
  while (processesOf(user.env.HOME, ' recorder').length > 0) await sleep(50)
})

test('a recorder that is killed or hangs loses and doubles nothing', async (t) => {
  const user = launchedUser(t)
  const { start: _, end, ...documents } = documentsIn(user.cwd)
  for (const document of Object.values(documents)) {
    await user.tell(document)
    await user.listening()
    // It may have noted what it could not answer any more: the agent's next hook is the same once more.
    for (const pid of processesOf(user.env.HOME, ' recorder')) process.kill(pid, 'SIGKILL')
    await user.tell(document)
  }
  await user.listening()
  const [stopped] = processesOf(user.env.HOME, ' recorder')
  assert.ok(stopped)
  const { ino } = statSync(socketOf(user.env))
  process.kill(stopped, 'SIGSTOP')
  await user.tell(end)
  // The hook has started another one, which has taken the place of the one that hangs.
  while (statSync(socketOf(user.env)).ino === ino) await sleep(50)
  process.kill(stopped, 'SIGCONT')
  while (processesOf(user.env.HOME, ' recorder').includes(stopped)) await sleep(50)
  await syncAll(user.env)
  assert.equal((await onlyRun(user)).status, 'completed')
  const turns = await turnsOf(user)
  assert.deepEqual(
    turns.map(({ prompt, answer, commands }) => [prompt, answer, commands?.length]),
    [['Fix the login', 'Done.', 1]],
  )
})

test('a recorder answers only the launcher of its own program, and ends without its place', async (t) => {
  const user = launchedUser(t)
  const { prompt } = documentsIn(user.cwd)
  await user.tell(prompt)
  await user.listening()
  const ask = (path: string, body: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const options = { socketPath: socketOf(user.env), path, method: 'POST' }
      const call = request(options, (response) => resolve(response.resume().statusCode)).on('error', reject)
      call.end(body)
    })
  assert.equal(await ask('/hook/claude', '/elsewhere/bin/conduct.cjs\0' + '1\0{}'), 409)
  assert.equal(await ask('/wake', '/elsewhere/bin/conduct.cjs\0'), 409)
  assert.equal(await ask('/hook/claude', 'nonsense'), 409)
  rmSync(socketOf(user.env))
  while (processesOf(user.env.HOME, ' recorder').length > 0) await sleep(50)
  // The next hook starts another.
  const started = user.starts()
  await user.tell({ ...prompt, prompt_id: 'p2' })
  await user.listening()
  assert.equal(user.starts(), started + 1)
})

test('where no socket can be, what a hook notes is sent all the same', async (t) => {
  const state = mkdtempSync(join(tmpdir(), `conduct-${'long'.repeat(25)}-`))
  t.after(() => rmSync(state, { recursive: true }))
  const user = launchedUser(t, { XDG_STATE_HOME: state })
  await user.tell(documentsIn(user.cwd).prompt)
  untilNobodyRuns(user.env.HOME)
  assert.equal((await onlyRun(user)).title, 'Fix the login')
})

test('a recorder follows a state file that is removed', async (t) => {
  const user = launchedUser(t)
  const { prompt, stop } = documentsIn(user.cwd)
  await user.tell(prompt)
  await user.listening()
  await syncAll(user.env)
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${stateFile(user.env)}${suffix}`, { force: true })
  await user.tell({ ...prompt, session_id: session.replace('3f', '4f') })
  await user.tell({ ...stop, session_id: session.replace('3f', '4f') })
  await syncAll(user.env)
  const { runs } = await (await user.ledger()).listRuns({})
  assert.equal(runs.length, 2)
})

test("a commit is the session's by the mail address of its own environment, whoever started the recorder", async (t) => {
  const user = launchedUser(t, { GIT_COMMITTER_EMAIL: undefined })
  user.git('config', 'user.email', 'ada@example.com')
  const first = documentsIn(user.cwd)
  await user.tell(first.prompt)
  await user.listening()
  await user.tell(first.stop)
  const bot = { GIT_COMMITTER_EMAIL: 'bot@example.com', GIT_COMMITTER_NAME: 'bot' }
  const { prompt, before, after, stop } = documentsIn(user.cwd, randomUUID())
  for (const document of [{ ...prompt, prompt: 'Second' }, before]) await user.tell(document, 'claude', bot)
  writeFileSync(join(user.cwd, 'new.js'), 'x\n')
  user.git('add', '-A')
  execFileSync('git', ['commit', '-qm', 'work'], { cwd: user.cwd, env: { ...process.env, ...bot } })
  for (const document of [after, stop]) await user.tell(document, 'claude', bot)
  await syncAll(user.env)
  const run = (await runsOf(user)).find(({ title }) => title === 'Second')
  assert.deepEqual([run?.git?.commits?.length, run?.changes?.files], [1, 1])
})

test('the launcher runs no program of the folder, even if the PATH has relative folders', async (t) => {
  const user = launchedUser(t)
  const { start, prompt } = documentsIn(user.cwd)
  for (const name of ['cat', 'curl', 'conduct-ledger', 'node']) {
    writeFileSync(join(user.cwd, name), '#!/bin/sh\necho "$0 runs" >&2\n', { mode: 0o755 })
  }
  const env = { PATH: `.::${user.env.PATH}` }
  await user.tell(start, 'claude', env)
  await user.listening()
  await user.tell(prompt, 'claude', env)
  await syncAll(user.env)
  assert.equal((await onlyRun(user)).title, 'Fix the login')
})

test('the launcher passes on what hooks read of their environment', async (t) => {
  const user = launchedUser(t)
  const { variables } = (await import('../../bin/newer.cjs' as string)) as { variables: string[] }
  const read = new Set<string>()
  const env = new Proxy(user.env, {
    get(env, name: string) {
      read.add(name)
      return env[name]
    },
  })
  const { Readable } = await import('node:stream')
  for (const agent of ['claude', 'codex', 'copilot', 'gemini', 'qwen', 'droid', 'opencode']) {
    for (const document of Object.values(documentsIn(user.cwd, `${agent}-1`))) {
      await observe(agent, Readable.from([Buffer.from(JSON.stringify(document))]), env, { wake: () => {} })
    }
  }
  assert.deepEqual([...read].filter((name) => ![...variables, launched].includes(name)).sort(), [])
})
