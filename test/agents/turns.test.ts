import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { claudeMoments } from '../../src/recorder/agents/claude/transcript.ts'
import { budget } from '../../src/recorder/agents/lines.ts'
import type { TranscriptTurn } from '../../src/recorder/agents/seen.ts'
import { readTranscript } from '../../src/recorder/agents/transcript.ts'
import { aboutTurn, turnAbout } from '../../src/recorder/agents/turn-about.ts'
import { turnsOf } from '../../src/recorder/past.ts'
import { freshFolder } from '../cli/folder.ts'
import { transcriptOf } from './documents.ts'

const reviewOf = (name: string) => fileURLToPath(new URL(`documents/codex-review/${name}`, import.meta.url))
const review = reviewOf('rollout-2026-11-28T15-01-26-01a222ac-e839-7170-8418-4fa4ef0ee6d5.jsonl')

const briefOf = ({ prompt, answer, failure, interrupted, isEnded }: TranscriptTurn) => ({
  ...{ prompt, answer },
  ...(failure && { failure: failure.code }),
  ...(interrupted && { interrupted }),
  ...(!isEnded && { isEnded }),
})
const readTurns = async (...session: Parameters<typeof readTranscript>) =>
  (await readTranscript(...session)).turns ?? []

const textsIn = async (agent: string, path: string) => (await readTurns(agent, path)).map(briefOf)

test('a review of Codex has its prompt and answer, and the tokens of its own thread', async () => {
  const { turns = [], usage, commands, version } = await readTranscript('codex', review)
  const prompt =
    'Review the current code changes (staged, unstaged, and untracked files) and provide prioritized findings.'
  assert.deepEqual(turns.map(briefOf), [{ prompt, answer: 'Nothing to object.' }])
  assert.equal(turns[0]?.id, '01a222ac-e8bf-7162-84cd-e0fdeed82d6f')
  for (const used of [usage, turns[0]?.usage])
    assert.deepEqual([used?.model, used?.inputTokens, used?.outputTokens], ['gpt-6.1-sol', 236, 10])
  assert.deepEqual(Object.values(commands ?? {}), [{ exitCode: 0 }])
  assert.equal(version, '0.171.0')
})

test('a fork of a Codex session has only its own tokens', async () => {
  const { usage, turns } = await readTranscript('codex', transcriptOf('codex-fork'))
  assert.deepEqual([usage?.inputTokens, usage?.outputTokens, turns?.length], [236, 10, 1])
})

test('a turn of Codex that ended with an error has failed, even if the session goes on at once', async () => {
  const turns = await readTurns('codex', transcriptOf('codex-error-resume'))
  assert.deepEqual(turns.map(briefOf), [
    { prompt: 'Write a.', answer: undefined, failure: 'RESPONSE_TOO_MANY_FAILED_ATTEMPTS' },
    { prompt: 'Go on.', answer: 'B.' },
  ])
  assert.deepEqual(
    turns.map(({ usage }) => usage?.inputTokens),
    [115, 236],
  )
  // Until the second prompt, the transcript has the first turn, and the beginning of the second.
  const before = await readTurns(
    'codex',
    transcriptOf('codex-error-resume'),
    [],
    Date.parse('2026-11-28T15:05:09.977Z'),
  )
  assert.equal(before[0]?.failure?.code, 'RESPONSE_TOO_MANY_FAILED_ATTEMPTS')
  assert.equal(before[1]?.isEnded, false)
})

test('a failed tool of an MCP server, of which no hook of Codex reports, is in its turn', async () => {
  const [turn] = await readTurns('codex', transcriptOf('codex-mcp'))
  const at = turn?.unheard?.[0]?.at
  assert.deepEqual(turn?.unheard, [
    { tool: 'mcp__conduct__record_check', id: 'exec-c5ce8ff9-fc84-4d6f-a0c7-6314b89603a7', failed: true, at },
  ])
})

test('a command in the background of Claude Code has an exit code once it has ended, after its turn', async () => {
  const { turns = [], commands } = await readTranscript('claude-code', transcriptOf('claude-background'))
  assert.deepEqual(commands, { toolu_4332b9d1955d4db3ae008ee99f1dafd7: { exitCode: 3 } })
  assert.deepEqual(turns.map(briefOf), [
    { prompt: 'Run it.', answer: 'It runs.' },
    { prompt: undefined, answer: 'It is over.' },
  ])
  // Its hooks name it before the transcript has it.
  const [, own] = turns
  const turn = '0c1eb826-fffa-4170-8a46-f6d443c18794'
  assert.equal(turnAbout(turns, { turn, at: (own?.startedAt ?? 0) - 1 }), own)
})

test('messages that waited for Claude Code are prompts of their own turns, as are the commands of its user', async () => {
  const turns = await readTurns('claude-code', transcriptOf('claude-queue'))
  assert.deepEqual(turns.map(briefOf), [
    { prompt: 'First prompt.', answer: 'First answer.' },
    { prompt: 'Second prompt.', answer: 'Second answer.' },
    { prompt: '!echo mine', answer: 'Third answer.' },
    { prompt: 'Third prompt.', answer: undefined, isEnded: false },
  ])
  // It was sent while the agent worked on the turn before. Its hook named that turn.
  const waited = turns[3] as TranscriptTurn
  assert.ok((waited.promptAt as number) < waited.startedAt)
  const at = Date.parse('2026-11-28T15:19:38.933Z')
  assert.equal(turnAbout(turns, { turn: turns[2]?.id, prompt: 'Third prompt.', at }), waited)
  assert.equal(turnAbout(turns, { turn: turns[2]?.id, at }), turns[2])
})

test('the turns of the other agents have their prompts, answers and ends', async () => {
  const [prompt, answer] = [
    'Add a greeting to the demo\nand run its tests.',
    'Done: the demo greets now.\n\nAll tests but one pass.',
  ]
  for (const agent of ['copilot', 'gemini', 'qwen'])
    assert.deepEqual(await textsIn(agent, transcriptOf(agent)), [{ prompt, answer }])
  const [failed] = await textsIn('copilot', transcriptOf('copilot-error-500'))
  assert.equal(failed?.failure, 'QUERY')
  const [interrupted] = await textsIn('copilot', transcriptOf('copilot-interrupt'))
  assert.equal(interrupted?.interrupted, true)
})

test('an import ends an open turn as its agent did: killed at the end of the transcript, interrupted before', async () => {
  const importedFrom = (path: string) =>
    Array.fromAsync(
      turnsOf(
        claudeMoments(path, [], () => {}, budget()),
        async (text) => text,
      ),
      ({ turn: { prompt, failure, interrupted } }) => [prompt, failure?.code ?? interrupted],
    )
  assert.deepEqual(await importedFrom(transcriptOf('claude-queue')), [
    ['First prompt.', undefined],
    ['Second prompt.', undefined],
    ['!echo mine', undefined],
    ['Third prompt.', 'AGENT_GONE'],
  ])
})

test('what a transcript tells of a turn is how that turn ended, although the next one has begun', async () => {
  const before = Date.parse('2026-11-28T15:05:09.977Z')
  const told = await readTranscript('codex', transcriptOf('codex-error-resume'), [], before)
  assert.equal(told.failure, undefined)
  const about = aboutTurn(told, { turn: told.turns?.[0]?.id, prompt: 'Write a.', at: before })
  assert.equal(about?.failure?.code, 'RESPONSE_TOO_MANY_FAILED_ATTEMPTS')
})

const turnAt = (seconds: number, more: Partial<TranscriptTurn>): TranscriptTurn => ({
  ...{ startedAt: seconds * 1_000, at: seconds * 1_000 + 500, isEnded: true },
  ...more,
})

test('a turn of hooks is found by its id, its prompt or its time', () => {
  const turns = [
    turnAt(1, { id: 'a', prompt: 'Go on.' }),
    turnAt(5, { prompt: 'Go on.', promptAt: 4_000 }),
    turnAt(9, { id: 'c' }),
  ]
  assert.equal(turnAbout(turns, { turn: 'a', prompt: 'Go on.', at: 4_000 }), turns[0])
  assert.equal(turnAbout(turns, { prompt: 'Go on.', at: 4_100 }), turns[1])
  assert.equal(turnAbout(turns, { turn: 'c', prompt: 'An image', at: 9_000 }), turns[2])
  assert.equal(turnAbout(turns, { at: 9_200 }), turns[2])
  assert.equal(turnAbout(turns, { turn: 'a', prompt: 'Something else', at: 1_000 }), undefined)
  assert.equal(turnAbout(undefined, { at: 1 }), undefined)
})

test('each reason by which a user ends a turn of Copilot is an interruption', async (t) => {
  const path = join(freshFolder(t), 'events.jsonl')
  const timestamp = '2026-11-28T16:42:00.581Z'
  for (const reason of ['user_abort', 'user_initiated', 'remote_command']) {
    writeFileSync(path, `${JSON.stringify({ type: 'abort', timestamp, data: { reason } })}\n`)
    const [turn] = await readTurns('copilot', path)
    assert.equal(turn?.interrupted, reason.startsWith('user_') ? true : undefined)
  }
})

test('a prompt with masks is found by all its other words, also if the last mask is cut', () => {
  const secret = 'sk-ant-aaaaaaaaaaaaaaaa'
  for (const words of [` ${'w'.repeat(983)}`, ' and then ', ` ${'w'.repeat(2_000)}`]) {
    const prompt = `key ${secret}${words}${secret} end`
    const turns = [prompt, `key ${secret}: another`].map((prompt, n) => ({
      startedAt: n,
      at: n + 1,
      prompt,
      isEnded: true,
    }))
    assert.equal(turnAbout(turns, { prompt: prompt.replaceAll(secret, '[masked]'), at: 1 }), turns[0])
  }
})
