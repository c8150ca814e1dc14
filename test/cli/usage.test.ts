import assert from 'node:assert/strict'
import { truncateSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { stateFile } from '../../src/capture/spool/state-file.ts'
import { claudeIn, onlyRun, syncAll, turnsOf, workplace } from './session.ts'

const now = () => new Date().toISOString()
const message = (id: string, input_tokens: number, timestamp = now()) => ({
  type: 'assistant',
  timestamp,
  message: {
    ...{ id, model: 'claude-sonnet-4-5', content: [{ type: 'text', text: 'Done.' }], stop_reason: 'end_turn' },
    usage: { input_tokens, output_tokens: 1 },
  },
})
const total = (inputTokens: number) => ({
  type: 'cost-state',
  totalCostUSD: 0.5,
  modelUsage: { m: { inputTokens, outputTokens: 9, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 } },
})

/** The input tokens of each turn and of the run. */
async function tokensOf(user: ReturnType<typeof workplace>) {
  const turns = (await turnsOf(user)).map(({ usage }) => usage?.inputTokens)
  return { turns, run: (await onlyRun(user)).usage?.inputTokens }
}

test('a session that began before it was recorded has the tokens since its first recorded prompt', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  const earlier = message('m1', 1000, '2026-01-31T09:30:00.000Z')
  claude.transcribe(earlier)
  await claude.prompt('One')
  claude.transcribe(earlier, message('m2', 20))
  await claude.stop()
  await syncAll(env)
  claude.transcribe(earlier, message('m2', 20), total(1025))
  await claude.end()
  await syncAll(env)
  assert.deepEqual(await tokensOf(user), { turns: [20], run: 20 })
})

test('once a transcript is too large to be read, nobody knows what the session used', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('One')
  claude.transcribe(message('m1', 1000))
  await claude.stop()
  await syncAll(env)
  assert.equal(typeof (await onlyRun(user)).usage?.costUsd, 'number')
  await claude.prompt('Two')
  truncateSync(claude.transcript, 269_000_000)
  await claude.stop()
  await syncAll(env)
  assert.deepEqual((await turnsOf(user))[1]?.usage, { model: 'claude-sonnet-4-5' })
  assert.equal((await onlyRun(user)).usage?.costUsd, undefined)
})

test('a resumed session counts what its transcript told at its end only once', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('One')
  const lines: object[] = [message('m1', 1000)]
  claude.transcribe(...lines)
  await claude.stop()
  await syncAll(env)
  lines.push(total(151_000))
  claude.transcribe(...lines)
  await claude.end()
  await syncAll(env)
  for (const [id, input] of [
    ['m2', 2000],
    ['m3', 3000],
  ] as const) {
    await claude.prompt(id)
    lines.push(message(id, input))
    claude.transcribe(...lines)
    await claude.stop()
    await syncAll(env)
  }
  await claude.end()
  await syncAll(env)
  assert.deepEqual(await tokensOf(user), { turns: [1000, 2000, 3000], run: 156_000 })
})

test('turns that are sent together have the tokens of their own time', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  await claude.prompt('One')
  const first = message('m1', 10)
  await claude.stop()
  await claude.prompt('Two')
  claude.transcribe(first, message('m2', 20))
  await claude.stop()
  await claude.end()
  await syncAll(env)
  assert.deepEqual(await tokensOf(user), { turns: [10, 20], run: 30 })
})

test('a turn that Claude Code begins on its own has an estimated cost, also after the total of the session', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const claude = claudeIn(cwd, env)
  const said = (promptId: string, content: string) => ({
    ...{ type: 'user', timestamp: now(), promptId, message: { role: 'user', content } },
  })
  await claude.prompt('One')
  const first = [said('p1', 'One'), message('m1', 1000)]
  claude.transcribe(...first)
  await claude.stop()
  await syncAll(env)
  // A subagent in the background works before its report reaches the agent.
  await claude.run('true')
  const second = [said('p9', '<task-notification>\nIt is done.\n</task-notification>'), message('m2', 2000)]
  const modelUsage = { m: { ...total(3000).modelUsage.m, outputTokens: 2 } }
  claude.transcribe(...first, ...second, { ...total(3000), modelUsage })
  await claude.tell('Stop', { prompt_id: 'p9', last_assistant_message: 'Done.' })
  await claude.end()
  await syncAll(env)
  assert.deepEqual(await tokensOf(user), { turns: [1000, 2000], run: 3000 })
  const costs = (await turnsOf(user)).map(({ usage }) => [usage?.costUsd, usage?.costSource])
  assert.deepEqual(costs, [
    [0.003015, 'estimated'],
    [0.006015, 'estimated'],
  ])
  assert.equal((await onlyRun(user)).usage?.costUsd, 0.5)
})

for (const [how, memo] of [
  ['between two turns', {}],
  ['during a turn', { turn: { prompts: ['Two'], tools: {}, files: [], commands: [] } }],
] as const) {
  test(`a turn after an upgrade ${how} of version 0.1 does not count those before it`, async (t) => {
    const user = workplace(t)
    const { env, cwd } = user
    const claude = claudeIn(cwd, env)
    await claude.prompt('One')
    const first = message('m1', 1000)
    claude.transcribe(first)
    await claude.stop()
    await syncAll(env)
    const state = new DatabaseSync(stateFile(env))
    const { transcript } = claude
    state.prepare('update recordings set memo = ?').run(JSON.stringify({ begun: true, transcript, ...memo }))
    state.close()
    if (how === 'between two turns') await claude.prompt('Two')
    else await claude.tell('PreCompact', { prompt_id: 'p2' })
    claude.transcribe(first, message('m2', 20))
    await claude.tell('Stop', { prompt_id: 'p2', last_assistant_message: 'Done.' })
    await syncAll(env)
    assert.deepEqual(await tokensOf(user), { turns: [1000, 20], run: 1020 })
    await claude.end()
    await syncAll(env)
    assert.deepEqual(await tokensOf(user), { turns: [1000, 20], run: 1020 })
  })
}
