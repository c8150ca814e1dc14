import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createReporter } from '../../src/cli/import/report.ts'
import { importSession, type TranscriptSource } from '../../src/cli/import/session.ts'
import type { Client } from '../../src/client/client.ts'
import { claudeMoments } from '../../src/recorder/agents/claude/transcript.ts'
import { budget } from '../../src/recorder/agents/lines.ts'
import { type Ledger, testLedger } from '../support/engines.ts'
import { freshFolder } from './folder.ts'

const project = 'old-work'

const source: TranscriptSource = {
  name: 'claude',
  agent: 'claude-code',
  moments: (path, subagents, pass) =>
    claudeMoments(path, subagents, pass, {
      ...budget(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY),
      contents: true,
    }),
}

/** A session of one turn, which wrote a file and then failed, and a function that imports it. */
function failed(t: TestContext, { as }: Ledger) {
  const cwd = join(freshFolder(t), 'work')
  mkdirSync(cwd)
  writeFileSync(join(cwd, 'conduct.json'), JSON.stringify({ project }))
  const file = join(cwd, 's-1.jsonl')
  const at = (second: number) => ({ timestamp: `2026-11-25T00:00:0${second}.100Z` })
  const [filePath, content] = [join(cwd, 'new.ts'), 'new\n']
  const write = { type: 'tool_use', id: 't1', name: 'Write', input: { file_path: filePath, content } }
  const usage = { input_tokens: 10, output_tokens: 5 }
  const message = { id: 'm1', model: 'claude-haiku-4-5', usage, content: [write], stop_reason: 'tool_use' }
  const lines = [
    { type: 'user', message: { content: 'Go' }, cwd, ...at(0) },
    { type: 'assistant', message, ...at(1) },
    {
      type: 'user',
      message: { content: [{ type: 'tool_result', tool_use_id: 't1', content: '' }] },
      toolUseResult: { type: 'create', filePath, content, originalFile: null, structuredPatch: [] },
      ...at(2),
    },
    {
      type: 'assistant',
      isApiErrorMessage: true,
      error: 'rate_limit',
      message: { content: [{ type: 'text', text: 'API Error: rate limit' }] },
      ...at(3),
    },
  ]
  writeFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  /** Imports it. If `end` names a call, the import ends there instead. */
  return async (end?: 'addDiffs' | 'updateRun') => {
    const client = as({ project })
    const ending: Client = end ? { ...client, [end]: () => Promise.reject(new Error('killed')) } : client
    const target = { client: as({}), in: () => ending, ensure: async () => {}, [Symbol.asyncDispose]: async () => {} }
    const report = createReporter(false, {})
    const found = { session: 's-1', file, subagents: [] }
    await importSession(target, source, found, { report, wishes: { dryRun: false } })
    return report.report.counts
  }
}

for (const end of ['addDiffs', 'updateRun'] as const) {
  testLedger(`an import that was killed before ${end} is made whole by the next`, async (ledger, t) => {
    await ledger.client.createProject({ slug: project })
    const client = ledger.as({ project })
    const importIt = failed(t, ledger)
    await assert.rejects(importIt(end), { message: 'killed' })
    await importIt()
    const { run } = await client.getRun({ runId: 'RUN-001' })
    assert.deepEqual([run.status, run.failure?.code, run.endedAt], ['failed', 'RATE_LIMIT', '2026-11-25T00:00:03.100Z'])
    assert.deepEqual([run.usage?.inputTokens, run.usage?.outputTokens], [10, 5])
    const { files } = await client.getDiff({ runId: 'RUN-001' })
    assert.deepEqual(
      files.map(({ path, patch }) => [path, patch]),
      [['new.ts', '@@ -0,0 +1 @@\n+new\n']],
    )
    const before = await client.listEvents({ limit: 100 })
    assert.deepEqual(await importIt(), { 'sessions imported before': 1 })
    assert.deepEqual(await client.listEvents({ limit: 100 }), before, 'a whole run is left as it is')
  })
}

testLedger('a run that was erased after its import was killed gets no diffs again', async (ledger, t) => {
  await ledger.client.createProject({ slug: project })
  const client = ledger.as({ project })
  const importIt = failed(t, ledger)
  await assert.rejects(importIt('addDiffs'), { message: 'killed' })
  await client.erase({ runId: 'RUN-001' })
  await importIt()
  assert.deepEqual((await client.getDiff({ runId: 'RUN-001' })).files, [])
})
