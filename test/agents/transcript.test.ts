import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { readTranscript } from '../../src/recorder/agents/transcript.ts'
import { freshFolder } from '../cli/folder.ts'
import { transcriptOf } from './documents.ts'

const linesOf = (agent: string) => readFileSync(transcriptOf(agent), 'utf8').trim().split('\n')

/** A transcript with these lines, given as objects or as texts. */
function written(t: TestContext, lines: (string | object)[], name = 'transcript.jsonl'): string {
  const path = join(freshFolder(t), name)
  writeFileSync(path, lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''))
  return path
}

/** What a transcript tells, without its turns. */
async function totalsOf(agent: string, path: string) {
  const { turns: _, ...totals } = await readTranscript(agent, path)
  return totals
}

const answer = 'Done: the demo greets now.\n\nAll tests but one pass.'
const wholeAt = (moment: string) => ({ isWhole: true, at: Date.parse(moment) })
const tokens = { inputTokens: 39_835, outputTokens: 264, cacheReadTokens: 32_900, cacheWriteTokens: 5_800 }

test('the transcript of Claude Code gives the tokens, the cost and the answer', async () => {
  assert.deepEqual(await totalsOf('claude-code', transcriptOf('claude')), {
    usage: { model: 'claude-sonnet-4-5-20250929', ...tokens, costUsd: 0.038985, costSource: 'reported' },
    answer,
    tellsInterruptions: true,
    written: wholeAt('2026-11-24T23:52:52.518Z'),
  })
})

test('without its last line, the transcript of Claude Code gives the tokens, and the cost is estimated', async (t) => {
  const lines = linesOf('claude').filter((line) => !line.includes('"cost-state"'))
  const { usage } = await readTranscript('claude-code', written(t, lines))
  const cost = { costUsd: 0.038985, costSource: 'estimated' }
  assert.deepEqual(usage, { model: 'claude-sonnet-4-5-20250929', ...tokens, ...cost })
})

test('an outdated total of Claude Code, or one with an unpriced model, gives no cost', async (t) => {
  const lines = linesOf('claude')
  const later = {
    type: 'assistant',
    message: { id: 'later', model: 'a-new-model', usage: { input_tokens: 100, output_tokens: 10 } },
  }
  const behind = await readTranscript('claude-code', written(t, [...lines, later]))
  assert.deepEqual(behind.usage, { ...tokens, model: 'a-new-model', inputTokens: 39_935, outputTokens: 274 })
  const unpriced = lines.map((line) => line.replace('"hasUnknownModelCost":false', '"hasUnknownModelCost":true'))
  assert.equal((await readTranscript('claude-code', written(t, unpriced))).usage?.costUsd, undefined)
})

test('the total of Claude Code includes what no message does: the summary of a conversation', async (t) => {
  const more = {
    '"outputTokens":264': '"outputTokens":273',
    '"totalCostUSD":0.038985': '"totalCostUSD":0.0391200000000000001',
  }
  const lines = linesOf('claude').map((line) =>
    Object.entries(more).reduce((text, [from, to]) => text.replace(from, to), line),
  )
  const { usage } = await readTranscript('claude-code', written(t, lines))
  assert.deepEqual([usage?.outputTokens, usage?.costUsd], [273, 0.03912])
})

test('subagents of Claude Code count, each with its tokens', async (t) => {
  const path = written(t, linesOf('claude').slice(0, -1))
  const folder = join(path.replace('.jsonl', ''), 'subagents')
  mkdirSync(folder, { recursive: true })
  const message = { id: 'm', model: 'claude-haiku-4-5', usage: { input_tokens: 80, output_tokens: 11 } }
  writeFileSync(join(folder, 'agent-a51908475caa32762.jsonl'), JSON.stringify({ type: 'assistant', message }))
  writeFileSync(join(folder, 'agent-a51908475caa32762.meta.json'), '{"agentType":"general-purpose"}')
  const { usage, subagents } = await readTranscript('claude-code', path)
  assert.deepEqual([usage?.inputTokens, usage?.outputTokens], [39_915, 275])
  assert.equal(usage?.model, 'claude-sonnet-4-5-20250929')
  // Each model has its own price.
  assert.deepEqual([usage?.costUsd, usage?.costSource], [0.03912, 'estimated'])
  assert.deepEqual(subagents, [{ id: 'a51908475caa32762', name: 'general-purpose', tokens: 91 }])
})

const apiError = {
  type: 'assistant',
  isApiErrorMessage: true,
  error: 'rate_limit',
  apiErrorStatus: 429,
  message: {
    id: 'e1',
    model: '<synthetic>',
    content: [{ type: 'text', text: 'API Error: Request rejected (429)' }],
    usage: { input_tokens: 0, output_tokens: 0 },
  },
}
const prompt = { type: 'user', message: { role: 'user', content: 'Again' } }
const interrupted = {
  type: 'user',
  message: { role: 'user', content: [{ type: 'text', text: '[Request interrupted by user for tool use]' }] },
}

test('a turn of Claude Code that ends with an API error counts as failed until the next one', async (t) => {
  const told = async (...lines: object[]) =>
    await readTranscript('claude-code', written(t, [...linesOf('claude'), ...lines]))
  const { failure, answer: none, usage } = await told(prompt, apiError)
  assert.deepEqual(failure, { code: 'RATE_LIMIT', message: 'API Error: Request rejected (429)' })
  assert.equal(none, undefined)
  assert.equal(usage?.model, 'claude-sonnet-4-5-20250929')
  assert.equal((await told(prompt, apiError, prompt)).failure, undefined)
})

test('a turn of Claude Code that its user interrupts counts as interrupted until the next prompt', async (t) => {
  const told = async (...lines: object[]) =>
    await readTranscript('claude-code', written(t, [...linesOf('claude'), ...lines]))
  assert.equal((await told(prompt, interrupted)).interrupted, true)
  assert.equal((await told(prompt, interrupted, prompt)).interrupted, undefined)
})

test('the rollout of Codex gives the tokens, the answer and the result of each command', async () => {
  const { commands, ...told } = await totalsOf('codex', transcriptOf('codex'))
  assert.deepEqual(told, {
    version: '0.169.0',
    usage: {
      model: 'gpt-6.1-sol',
      inputTokens: 33_835,
      outputTokens: 214,
      cacheReadTokens: 32_900,
      cacheWriteTokens: 0,
    },
    answer,
    written: wholeAt('2026-11-24T23:52:50.795Z'),
  })
  assert.deepEqual(commands, {
    'exec-338d8359-3c86-42b1-9998-f3b11008ae84': { exitCode: 0 },
    'exec-95071ef8-3d7b-44b0-aa45-d1657019f2aa': { exitCode: 0 },
    'exec-c638f85d-c143-437f-9f62-35c17c84455c': { exitCode: 3 },
  })
})

const codexEvent = (payload: object) => ({ type: 'event_msg', payload })

test('a turn of Codex that ends with an error counts as failed until the next one', async (t) => {
  const error = { message: 'exceeded retry limit, last status: 429', codex_error_info: 'usage_limit_exceeded' }
  const lines = [...linesOf('codex'), codexEvent({ type: 'task_complete', turn_id: 't', error })]
  const { failure, answer: none } = await readTranscript('codex', written(t, lines))
  assert.deepEqual(failure, { code: 'USAGE_LIMIT_EXCEEDED', message: error.message })
  assert.equal(none, undefined)
  const next = await readTranscript('codex', written(t, [...lines, codexEvent({ type: 'task_started' })]))
  assert.equal(next.failure, undefined)
})

test('the code of a Codex error may be the name of a field', async (t) => {
  const error = {
    message: 'no more',
    codex_error_info: { response_too_many_failed_attempts: { http_status_code: 500 } },
  }
  const path = written(t, [codexEvent({ type: 'task_complete', error })])
  assert.equal((await readTranscript('codex', path)).failure?.code, 'RESPONSE_TOO_MANY_FAILED_ATTEMPTS')
})

test('the rollout of Codex shows an interruption', async (t) => {
  const path = written(t, [...linesOf('codex'), codexEvent({ type: 'turn_aborted', reason: 'interrupted' })])
  assert.equal((await readTranscript('codex', path)).interrupted, true)
})

test('the rollouts of Codex subagents count, with their commands', async (t) => {
  const total_token_usage = { input_tokens: 248, cached_input_tokens: 0, output_tokens: 21 }
  const item = { type: 'CommandExecution', id: 'exec-9e', exit_code: 4, duration: { secs: 1, nanos: 500_000_000 } }
  const other = written(t, [
    { type: 'session_meta', payload: { id: 'sub-1' } },
    codexEvent({ type: 'item_completed', thread_id: 'sub-1', item }),
    codexEvent({ type: 'token_count', info: { total_token_usage } }),
  ])
  const { usage, subagents, commands } = await readTranscript('codex', transcriptOf('codex'), [other])
  assert.deepEqual([usage?.inputTokens, usage?.outputTokens], [34_083, 235])
  assert.deepEqual(subagents, [{ id: 'sub-1', tokens: 269 }])
  assert.deepEqual(commands?.['exec-9e'], { exitCode: 4, durationMs: 1_500 })
})

test('Codex totals that start again are added to the previous ones', async (t) => {
  const count = (input_tokens: number, output_tokens: number) =>
    codexEvent({ type: 'token_count', info: { total_token_usage: { input_tokens, output_tokens } } })
  const { usage } = await readTranscript('codex', written(t, [count(100, 10), count(300, 40), count(50, 5)]))
  assert.deepEqual([usage?.inputTokens, usage?.outputTokens], [350, 45])
})

const cached = { inputTokens: 33_835, outputTokens: 214, cacheReadTokens: 32_900 }

test('the events of Copilot give the tokens, the model and the answer', async () => {
  assert.deepEqual(await totalsOf('copilot', transcriptOf('copilot')), {
    usage: { model: 'gpt-4.1', ...cached, cacheWriteTokens: 0, costUsd: 0.020032, costSource: 'estimated' },
    answer,
    written: wholeAt('2026-11-25T00:44:08.174Z'),
  })
})

test('subagents of Copilot count, each with its tokens, and their texts are not the answer', async () => {
  const told = await readTranscript('copilot', transcriptOf('copilot-subagent'))
  assert.deepEqual([told.usage?.inputTokens, told.usage?.outputTokens], [2_469, 67])
  assert.deepEqual(told.subagents, [{ id: '5e2df768-e342-4407-bbe1-f9cf0ffe54a1', name: 'explore', tokens: 269 }])
  assert.equal(told.answer, 'They did it.')
})

test('the events of Copilot show an error that ended the session, and an interruption', async () => {
  const { failure, answer: none } = await readTranscript('copilot', transcriptOf('copilot-error-500'))
  assert.equal(failure?.code, 'QUERY')
  assert.match(failure?.message ?? '', /^Failed to get response from the AI model; retried 5 times .* 500 Internal/)
  assert.equal(none, undefined)
  assert.equal((await readTranscript('copilot', transcriptOf('copilot-interrupt'))).interrupted, true)
})

test('the session file of Gemini CLI gives each message once, with its tokens', async (t) => {
  const told = await totalsOf('gemini', transcriptOf('gemini'))
  // In its first turn, the session makes a plan.
  const tokens = { inputTokens: 39_835, outputTokens: 264, cacheReadTokens: 32_900 }
  assert.deepEqual(told, {
    usage: { model: 'gemini-2.5-pro', ...tokens, costUsd: 0.01542125, costSource: 'estimated' },
    answer,
    written: wholeAt('2026-11-25T00:43:02.699Z'),
  })
  const thoughtful = { id: 'm', type: 'gemini', content: 'So.', model: 'gemini-2.5-pro' }
  const counts = { input: 100, output: 10, cached: 50, thoughts: 7, tool: 3, total: 120 }
  // A resumed session repeats the earlier messages without their tokens.
  const again = { $set: { messages: [{ id: 'u', type: 'user' }, thoughtful] } }
  const { usage } = await readTranscript('gemini', written(t, [{ ...thoughtful, tokens: counts }, again]))
  assert.deepEqual([usage?.inputTokens, usage?.outputTokens, usage?.cacheReadTokens], [103, 17, 50])
})

test('the session file of Qwen Code gives tokens and answer, and a model without a public price has no cost', async () => {
  assert.deepEqual(await totalsOf('qwen', transcriptOf('qwen')), {
    usage: { model: 'qwen3-coder-plus', ...cached },
    answer,
    written: wholeAt('2026-11-25T00:42:49.160Z'),
  })
})

test('a missing rollout of a subagent is skipped, and a missing transcript is an error', async (t) => {
  const gone = join(freshFolder(t), 'gone.jsonl')
  assert.equal((await readTranscript('codex', transcriptOf('codex'), [gone])).answer, answer)
  for (const agent of ['claude-code', 'codex', 'copilot', 'gemini', 'qwen', 'droid'])
    await assert.rejects(() => readTranscript(agent, gone), /ENOENT/)
})

test('the transcript of an unknown agent gives nothing', async (t) => {
  assert.deepEqual(await readTranscript('unknown', written(t, [apiError])), {})
})

test('a transcript with any values in its lines is read without an error', async (t) => {
  const folder = freshFolder(t)
  const sources = {
    'claude-code': 'claude',
    codex: 'codex',
    copilot: 'copilot-subagent',
    gemini: 'gemini',
    qwen: 'qwen',
    droid: 'droid',
  }
  const keys = [
    'message',
    'usage',
    'payload',
    'info',
    'item',
    'data',
    'content',
    'tokens',
    'parts',
    'id',
    'model',
    '$set',
  ]
  let files = 0
  for (const [agent, source] of Object.entries(sources)) {
    const lines = linesOf(source).map((line) => JSON.parse(line) as Record<string, unknown>)
    const odd = fc.dictionary(fc.constantFrom(...keys), fc.jsonValue(), { minKeys: 1, maxKeys: 3 })
    const changed = fc.array(fc.tuple(fc.constantFrom(...lines), odd), { minLength: 1, maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(changed, fc.boolean(), async (some, isDeep) => {
        const path = join(folder, `${files++}.jsonl`)
        const made = some.map(([line, more]) =>
          isDeep
            ? {
                ...line,
                message: { ...(line.message as object), ...more },
                payload: { ...(line.payload as object), ...more },
                data: { ...(line.data as object), ...more },
              }
            : { ...line, ...more },
        )
        writeFileSync(path, made.map((line) => JSON.stringify(line)).join('\n'))
        const { usage } = await readTranscript(agent, path)
        assert.ok(usage === undefined || usage.inputTokens + usage.outputTokens > 0)
      }),
      { seed: 11, numRuns: 100 },
    )
  }
})
