import assert from 'node:assert/strict'
import { basename, dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Document, hook, onlyRun, syncAll, turnsOf, workplace } from './session.ts'
import { writeFiles } from './user.ts'

// Codex stops waiting for a command that takes long, and may never report its end.

function codexIn(t: TestContext, command = 'npm test') {
  const user = workplace(t)
  const { cwd, env, git } = user
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop", "checks": { "tests": "npm test" } }\n' })
  git('commit', '-qam', 'rules')
  const transcript = join(env.HOME, 'rollout-2026-11-28T09-00-00-s.jsonl')
  const tell = (hook_event_name: string, more: Document = {}) =>
    hook('codex', { session_id: 's', turn_id: 't', transcript_path: transcript, cwd, hook_event_name, ...more }, env)
  const lines: object[] = []
  const write = (payload: object, type = 'event_msg') => {
    lines.push({ timestamp: new Date().toISOString(), type, payload: { turn_id: 't', ...payload } })
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    writeFiles(dirname(transcript), { [basename(transcript)]: text })
  }
  const test = { tool_name: 'Bash', tool_input: { command }, tool_use_id: 'exec-1' }
  return {
    user,
    prompt(prompt: string) {
      write({ type: 'item_completed', item: { type: 'UserMessage', content: [{ text: prompt }] } })
      return tell('UserPromptSubmit', { prompt })
    },
    begin: () => tell('PreToolUse', test),
    /** It ends, as the rollout says. */
    ends: (exit_code: number) =>
      write({
        type: 'item_completed',
        item: { type: 'CommandExecution', id: 'exec-1', command, exit_code },
      }),
    /** A hook of somebody else does not let it run. */
    blocks() {
      const text = 'Script error:\nCommand blocked by PreToolUse hook: Not here. Sorry.. Command: npm test'
      const output = [{ text: 'Script failed\nOutput:\n' }, { text }]
      write({ type: 'custom_tool_call_output', call_id: 'call-1', output }, 'response_item')
    },
    /** The rules of Codex do not let it run. */
    rejects() {
      const text = `Script error:\nexec_command failed: CreateProcess { message: "Rejected(\\"\`/bin/bash -lc '${command.replaceAll('"', '\\\\\\"')}'\` rejected: rm -f style commands are not permitted.\\")" }`
      const output = [{ text: 'Script failed\nOutput:\n' }, { text }]
      write({ type: 'custom_tool_call_output', call_id: 'call-1', output }, 'response_item')
    },
    /** It was a patch, which no hook reports. */
    patches(path: string) {
      writeFiles(cwd, { [path]: 'x\n' })
      const changes = { [join(cwd, path)]: { type: 'add', content: 'x\n' } }
      write({ type: 'item_completed', item: { type: 'FileChange', id: 'exec-1', changes, status: 'completed' } })
    },
    /** It ends, as a hook says, too. */
    reports: () => tell('PostToolUse', { ...test, tool_response: '' }),
    writes: (path: string) => {
      writeFiles(cwd, { [path]: 'x\n' })
      const patch = {
        tool_name: 'apply_patch',
        tool_input: { command: `*** Add File: ${path}` },
        tool_use_id: 'exec-2',
      }
      return tell('PostToolUse', { ...patch, tool_response: 'Success.' })
    },
    stop(answer = 'Done.') {
      write({ type: 'task_complete', last_agent_message: answer })
      return tell('Stop', { last_assistant_message: answer })
    },
    end: () => tell('SessionEnd', { reason: 'other' }),
    async told() {
      await syncAll(env)
      const { runId, verdict, status } = await onlyRun(user)
      const { checks } = await (await user.ledger()).listChecks({ runId })
      const turns = (await turnsOf(user)).map(({ prompt, answer, commands, tools }) => [
        ...[prompt, answer, commands?.map(({ command, exitCode }) => [command, exitCode]) ?? [], tools?.length ?? 0],
      ])
      return { turns, status, verdict, checks: checks.map(({ result, tree }) => [result, tree !== null]) }
    },
  }
}

type Codex = ReturnType<typeof codexIn>

for (const command of ['rm -rf src', 'rm -rf "src"']) {
  test(`the command ${command}, which Codex rejects, is refused`, async (t) => {
    const codex = codexIn(t, command)
    await codex.prompt('Go')
    await codex.begin()
    codex.rejects()
    await codex.stop()
    await codex.end()
    await syncAll(codex.user.env)
    const [turn] = await turnsOf(codex.user)
    assert.deepEqual([turn?.commands, turn?.tools], [undefined, [{ name: 'Bash', count: 1, refused: 1 }]])
  })
}

test('a command that Codex takes for a patch is one, with its files', async (t) => {
  const codex = codexIn(t, "apply_patch <<'EOF'")
  await codex.prompt('Go')
  await codex.begin()
  codex.patches('new.txt')
  await codex.stop()
  await codex.end()
  await syncAll(codex.user.env)
  const [turn] = await turnsOf(codex.user)
  assert.deepEqual([turn?.commands, turn?.tools], [undefined, [{ name: 'apply_patch', count: 1 }]])
  assert.deepEqual(turn?.files, [{ path: 'new.txt', insertions: 1, deletions: 0 }])
})

test('a command of Codex that a hook of somebody else blocks is refused', async (t) => {
  const codex = codexIn(t)
  await codex.prompt('Go')
  await codex.begin()
  codex.blocks()
  await codex.stop()
  await codex.end()
  const { turns, checks } = await codex.told()
  assert.deepEqual([turns, checks], [[['Go', 'Done.', [], 1]], []])
  const [turn] = await turnsOf(codex.user)
  assert.deepEqual(turn?.tools, [{ name: 'Bash', count: 1, refused: 1 }])
})

const alone = [['Go', 'Done.', [['npm test', undefined]], 1]]

for (const [what, ends, checks] of [
  ['is ended with its session', (codex) => codex.ends(-1), []],
  ['never ends', () => {}, []],
  ['ends after its turn', (codex) => codex.ends(0), [['pass', false]]],
  [
    'ends after its turn, as a hook reports,',
    async (codex) => {
      codex.ends(0)
      await codex.reports()
    },
    [['pass', true]],
  ],
] satisfies [string, (codex: Codex) => unknown, unknown][]) {
  test(`a command of Codex that ${what} is in the turn that began it`, async (t) => {
    const codex = codexIn(t)
    await codex.prompt('Go')
    await codex.begin()
    await codex.stop()
    await codex.told()
    await ends(codex)
    await codex.end()
    const told = await codex.told()
    assert.deepEqual([told.turns, told.status, told.checks], [alone, 'completed', checks])
  })
}

for (const [line, checks] of [
  ['npm test && redis-cli -a hunter22; true', []],
  ['redis-cli -a hunter22; npm test', [['pass', false]]],
] satisfies [string, unknown][]) {
  test(`\`${line}\` that Codex began is read before its secret is masked`, async (t) => {
    const codex = codexIn(t, line)
    await codex.prompt('Go')
    await codex.begin()
    await codex.stop()
    await codex.told()
    codex.ends(0)
    await codex.end()
    assert.deepEqual((await codex.told()).checks, checks)
  })
}

for (const [what, ends] of [
  ['before the next one ends', async (codex) => codex.reports().then(() => codex.stop())],
  ['after the next one', async (codex) => codex.stop().then(() => codex.reports())],
] satisfies [string, (codex: Codex) => Promise<unknown>][]) {
  test(`a command of Codex during which its user writes is in the turn that began it, if it ends ${what}`, async (t) => {
    const codex = codexIn(t)
    await codex.prompt('Go')
    await codex.begin()
    await codex.prompt('Go on')
    await ends(codex)
    await codex.end()
    const [one, two, ...others] = (await codex.told()).turns
    assert.deepEqual(
      [one, two, others],
      [['Go', undefined, [['npm test', undefined]], 1], ['Go on', 'Done.', [], 0], []],
    )
  })
}

for (const [what, exitCode, meanwhile, expected] of [
  ['passes', 0, () => {}, ['verified', [['pass', true]]]],
  ['fails', 1, () => {}, ['failing', [['fail', true]]]],
  ['passes while a file is written', 0, (codex) => codex.writes('a.txt'), ['stale', [['pass', false]]]],
] satisfies [string, number, (codex: Codex) => unknown, unknown][]) {
  test(`a command that Codex leaves behind, and that ${what} in its turn, is a check`, async (t) => {
    const codex = codexIn(t)
    await codex.prompt('Go')
    await codex.begin()
    await meanwhile(codex)
    codex.ends(exitCode)
    await codex.stop()
    await codex.end()
    const { turns, verdict, checks } = await codex.told()
    assert.deepEqual([verdict, checks], expected)
    assert.deepEqual(turns[0]?.slice(0, 3), ['Go', 'Done.', [['npm test', exitCode]]])
  })
}
