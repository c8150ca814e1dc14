import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readTranscript } from '../../src/recorder/agents/transcript.ts'
import { freshFolder } from '../cli/folder.ts'

const textOf = (lines: object[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('')

function written(t: TestContext, lines: object[], subagent: object[] = []): string {
  const folder = freshFolder(t)
  const path = join(folder, 's-2.jsonl')
  writeFileSync(path, textOf(lines))
  mkdirSync(join(folder, 's-2/subagents'), { recursive: true })
  writeFileSync(join(folder, 's-2/subagents/agent-1.jsonl'), textOf(subagent))
  return path
}

const at = (second: number) => new Date(Date.UTC(2026, 10, 25, 0, 0, second)).toISOString()
const message = (second: number, input_tokens: number, more = {}) => ({
  type: 'assistant',
  timestamp: at(second),
  sessionId: 's-2',
  message: { id: `m${second}`, model: 'claude-sonnet-4-5', usage: { input_tokens, output_tokens: 1 } },
  ...more,
})
const total = (inputTokens: number, totalCostUSD: number) => ({
  type: 'cost-state',
  totalCostUSD,
  modelUsage: { m: { inputTokens, outputTokens: 9, cacheReadInputTokens: 0, cacheCreationInputTokens: 0 } },
})

test('messages of Claude Code after its last total are added to it, also those of subagents', async (t) => {
  const path = written(
    t,
    [message(1, 1000), total(150_000, 0.5), message(3, 1000), message(3, 2000), message(5, 3000)],
    [message(0, 10), message(4, 20)],
  )
  const { usage } = await readTranscript('claude-code', path)
  assert.deepEqual([usage?.inputTokens, usage?.outputTokens, usage?.costSource], [155_020, 12, 'estimated'])
  assert.ok((usage?.costUsd ?? 0) > 0.5)
})

test('a message that continues after a total of Claude Code is part of it', async (t) => {
  const path = written(t, [message(1, 1000), total(1500, 0.5), message(1, 1000)])
  const { usage } = await readTranscript('claude-code', path)
  assert.deepEqual([usage?.inputTokens, usage?.costUsd, usage?.costSource], [1500, 0.5, 'reported'])
})

test('a fork of a session of Claude Code has only its own messages', async (t) => {
  const copy = message(1, 1000, { requestSessionId: 's-1' })
  const path = written(t, [copy, message(2, 10), message(3, 20, { requestSessionId: 's-2' }), total(1030, 0.5)])
  const { usage } = await readTranscript('claude-code', path)
  assert.deepEqual([usage?.inputTokens, usage?.outputTokens, usage?.costSource], [30, 2, 'estimated'])
})

test('a transcript is read until a moment, without what has no time before it', async (t) => {
  const path = written(t, [message(1, 1000), total(1500, 0.5), message(3, 2000), total(4000, 1)])
  const tokensUntil = async (second: number) =>
    (await readTranscript('claude-code', path, [], Date.parse(at(second)))).usage?.inputTokens
  assert.deepEqual(await Promise.all([0, 1, 2, 3].map(tokensUntil)), [undefined, 1500, 1500, 4000])
  const undated = written(t, [message(1, 1000, { timestamp: undefined })])
  assert.deepEqual(await readTranscript('claude-code', undated, [], Date.now()), { tellsInterruptions: true })
})
