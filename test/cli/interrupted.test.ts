import assert from 'node:assert/strict'
import { renameSync, symlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { claudeIn, hook, onlyRun, syncAll, turnsOf, workplace } from './session.ts'
import { writeFiles } from './user.ts'

// Commands without a hook after them, because their user interrupted them or the agent was killed.

const said = (content: string) => ({
  ...{ type: 'user', timestamp: new Date().toISOString(), message: { role: 'user', content } },
})
const stopped = '[Request interrupted by user for tool use]'
/** Tells what the hooks of a session of Codex report. */
const codexIn =
  ({ cwd, env }: ReturnType<typeof workplace>) =>
  (hook_event_name: string, more = {}) =>
    hook('codex', { session_id: 's', turn_id: 't', cwd, hook_event_name, ...more }, env)

const command = { tool_name: 'Bash', tool_input: { command: 'sh make.sh' }, tool_use_id: 'cut' }

test('what an interrupted command wrote is in its turn, but not what its user wrote later', async (t) => {
  const user = workplace(t)
  const { cwd, env } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('One')
  await claude.tell('PreToolUse', command)
  writeFiles(cwd, { 'made.txt': 'made\n', 'src/login.ts': 'answer(401)\n' })
  claude.transcribe(said('One'), said(stopped))
  writeFiles(cwd, { 'mine.txt': 'mine\n', 'src/login.ts': 'answer(402)\n' })
  const later = Date.now() / 1000 + 30
  for (const path of ['mine.txt', 'src/login.ts']) utimesSync(join(cwd, path), later, later)
  await claude.prompt('Two')
  await claude.stop()
  await claude.end()
  await syncAll(env)
  const [first, second] = await turnsOf(user)
  assert.deepEqual([first?.interrupted, first?.files?.map(({ path }) => path)], [true, ['made.txt']])
  assert.deepEqual([second?.interrupted, second?.files], [undefined, undefined])
})

test('links in circles and files that were moved in later do not disturb an interrupted turn', async (t) => {
  const user = workplace(t)
  const { cwd, env, folder } = user
  const claude = claudeIn(cwd, env)
  writeFiles(folder, { 'old.txt': 'old\n' })
  await claude.prompt('One')
  await claude.tell('PreToolUse', command)
  symlinkSync('loop', join(cwd, 'loop'))
  claude.transcribe(said('One'), said(stopped))
  await sleep(1_100)
  renameSync(join(folder, 'old.txt'), join(cwd, 'moved.txt'))
  await claude.prompt('Two')
  await claude.stop()
  await claude.end()
  await syncAll(env)
  const [first] = await turnsOf(user)
  assert.deepEqual(
    first?.files?.map(({ path }) => path),
    ['loop'],
  )
})

test('a turn after an interrupted one has the diffs of what it wrote at once', async (t) => {
  const user = workplace(t)
  const claude = claudeIn(user.cwd, user.env)
  await claude.prompt('One')
  await claude.write('one.txt', 'one\n')
  await syncAll(user.env)
  await claude.prompt('Two')
  await claude.use('Write', { file_path: join(user.cwd, 'two.txt') }, async () => {
    writeFiles(user.cwd, { 'two.txt': 'two\n' })
    // What the prompt told is settled only now.
    await syncAll(user.env)
  })
  await claude.stop()
  await claude.end()
  await syncAll(user.env)
  const { runId } = await onlyRun(user)
  const { files } = await (await user.ledger()).getDiff({ runId })
  assert.deepEqual(
    files.map(({ path, turn }) => [path, turn]),
    [
      ['one.txt', 1],
      ['two.txt', 2],
    ],
  )
})

test('what a command wrote is in the turn that Codex says its user interrupted', async (t) => {
  const user = workplace(t)
  const { cwd } = user
  const tell = codexIn(user)
  await tell('UserPromptSubmit', { prompt: 'One' })
  await tell('PreToolUse', command)
  writeFiles(cwd, { 'made.txt': 'made\n' })
  await tell('Interrupt')
  await syncAll(user.env)
  const [turn] = await turnsOf(user)
  assert.deepEqual([turn?.interrupted, turn?.files?.map(({ path }) => path)], [true, ['made.txt']])
})

test('a command for which the agent still asked its user has written nothing', async (t) => {
  const user = workplace(t)
  const { cwd, env } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('One')
  await claude.tell('PreToolUse', command)
  await claude.tell('PermissionRequest', command)
  writeFiles(cwd, { 'mine.txt': 'mine\n' })
  claude.transcribe(said('One'), said(stopped))
  await claude.end()
  await syncAll(env)
  const [turn] = await turnsOf(user)
  assert.deepEqual([turn?.interrupted, turn?.files], [true, undefined])
})

test('a command that was refused, and after which the agent went on, has written nothing', async (t) => {
  const user = workplace(t)
  const { cwd } = user
  const tell = codexIn(user)
  await tell('UserPromptSubmit', { prompt: 'One' })
  await tell('PreToolUse', command)
  writeFiles(cwd, { 'mine.txt': 'mine\n' })
  await tell('PreToolUse', { tool_name: 'apply_patch', tool_input: { command: '' }, tool_use_id: 'patch' })
  await sleep(2_100)
  await tell('PostToolUse', {
    tool_name: 'apply_patch',
    tool_input: { command: '' },
    tool_use_id: 'patch',
    tool_response: '',
  })
  await tell('Interrupt')
  await syncAll(user.env)
  const [turn] = await turnsOf(user)
  assert.deepEqual([turn?.interrupted, turn?.files], [true, undefined])
})

test('words beside a command during which the agent ended are no answer', async (t) => {
  const user = workplace(t)
  const { cwd, env } = user
  const transcript = join(env.HOME, 'session.jsonl')
  const tell = (hook_event_name: string, more = {}) =>
    hook('gemini', { session_id: 's', transcript_path: transcript, cwd, hook_event_name, timestamp: '', ...more }, env)
  await tell('BeforeAgent', { prompt: 'One' })
  const at = () => new Date().toISOString()
  const lines = [
    { id: 'a', timestamp: at(), type: 'user', content: [{ text: 'One' }] },
    { id: 'b', timestamp: at(), type: 'gemini', content: 'I run.', tokens: { input: 10, output: 1 }, model: 'm' },
  ]
  writeFiles(env.HOME, { 'session.jsonl': lines.map((line) => `${JSON.stringify(line)}\n`).join('') })
  await tell('BeforeTool', { tool_name: 'run_shell_command', tool_input: { command: 'sleep 20' } })
  await tell('SessionEnd', { reason: 'exit' })
  await syncAll(env)
  const [run, [turn]] = [await onlyRun(user), await turnsOf(user)]
  assert.deepEqual([run.status, turn?.answer], ['failed', undefined])
})
