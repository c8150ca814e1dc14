import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import type { AgentEnv } from '../../src/recorder/agents/dialect.ts'
import type { JsonFields } from '../../src/recorder/agents/fields.ts'
import { readDocument } from '../../src/recorder/agents/read.ts'
import { documented, documentOf, namesOf } from './documents.ts'

const agentOf = (named: string, document: JsonFields, env: AgentEnv = {}) =>
  readDocument(named, document, env).map(({ agent }) => agent)

test("the fields of a document identify its agent, whatever the hook's name", () => {
  assert.deepEqual(agentOf('codex', documentOf('claude', 'Stop')), ['claude-code'])
  assert.deepEqual(agentOf('claude', documentOf('codex', 'Stop')), ['codex'])
})

test('a document whose transcript is not where its agent stores them is unknown, unless the environment names its session', () => {
  const plain = documentOf('claude', 'Stop', { transcript_path: '/elsewhere/t.jsonl' })
  assert.deepEqual(agentOf('claude', plain), ['unknown'])
  assert.deepEqual(agentOf('claude', plain, { CLAUDE_CODE_SESSION_ID: plain.session_id as string }), ['claude-code'])
  assert.deepEqual(agentOf('codex', plain), ['codex'])
  assert.deepEqual(agentOf('codex', plain, { CLAUDE_CODE_SESSION_ID: plain.session_id as string }), ['claude-code'])
  assert.deepEqual(agentOf('codex', plain, { CLAUDE_CODE_SESSION_ID: 'of a session around it' }), ['codex'])
})

test('Claude Code is known by the place of its transcript, in whichever folder CLAUDE_CONFIG_DIR names', () => {
  for (const name of namesOf('claude').filter((name) => name !== 'CwdChanged')) {
    const document = documentOf('claude', name)
    const path = String(document.transcript_path).replace('/.claude/', '/elsewhere/')
    for (const agent of agentOf('claude', { ...document, transcript_path: path })) assert.equal(agent, 'claude-code')
  }
  const [session_id, cwd] = ['s-1', '/shop']
  for (const transcript_path of [
    undefined,
    '/p/projects/shop/s-2.jsonl',
    '/p/sessions/shop/s-1.jsonl',
    '/p/s-1.jsonl',
  ]) {
    assert.deepEqual(agentOf('claude', { session_id, cwd, transcript_path, hook_event_name: 'Stop' }), ['unknown'])
  }
})

test("a document unlike any known agent's has an unknown agent, never another one", () => {
  const stranger = documentOf('claude', 'Stop', {
    transcript_path: '/elsewhere/t.jsonl',
    timestamp: '2026-11-25T00:44:08.192Z',
    stranger: true,
  })
  for (const named of ['claude', 'codex', 'nobody']) assert.deepEqual(agentOf(named, stranger), ['unknown'])
})

test('an invalid document, or one without a session, reports nothing', () => {
  for (const document of [undefined, null, 1, 'Stop', [], {}, { hook_event_name: 'Stop' }, { hook_event_name: {} }]) {
    assert.deepEqual(readDocument('claude', document, {}), [])
  }
  assert.deepEqual(readDocument('claude', documentOf('claude', 'Stop', { hook_event_name: 'constructor' }), {}), [])
  assert.deepEqual(readDocument('claude', documentOf('claude', 'Stop', { cwd: 7 }), {}), [])
  assert.deepEqual(readDocument('claude', documentOf('claude', 'CwdChanged'), {}), [])
})

test('a document with any values in its fields is read without an error', () => {
  const documents = documented.flatMap((agent) => namesOf(agent).map((name) => documentOf(agent, name)))
  const fields = [...new Set(documents.flatMap((document) => Object.keys(document)))]
  const odd = fc.dictionary(fc.constantFrom(...fields, 'agent', 'event', 'conversation_id', 'steps'), fc.jsonValue(), {
    maxKeys: 6,
  })
  const named = fc.constantFrom(...documented, 'cursor', 'opencode', 'nobody')
  fc.assert(
    fc.property(named, fc.constantFrom(...documents), odd, (name, document, changes) => {
      for (const { agent, session, cwd, step } of readDocument(
        name,
        { ...document, ...changes },
        { COPILOT_CLI: '1' },
      )) {
        assert.ok([agent, session, cwd, step.kind].every((text) => typeof text === 'string' && text !== ''))
      }
    }),
    { seed: 7, numRuns: 5_000 },
  )
})

/** All files and packages that a source file loads. */
function loadedWith(file: string, loaded = new Set<string>()): Set<string> {
  if (loaded.has(file)) return loaded
  loaded.add(file)
  for (const [, type, to = ''] of readFileSync(file, 'utf8').matchAll(/^import (type )?[^']*from '([^']+)'/gm)) {
    if (type) continue
    if (to.startsWith('.')) loadedWith(join(dirname(file), to), loaded)
    else loaded.add(to)
  }
  return loaded
}

test('a hook loads neither transcripts nor prices to read a document', () => {
  const loaded = [...loadedWith(fileURLToPath(new URL('../../src/recorder/agents/read.ts', import.meta.url)))]
  assert.ok(loaded.some((one) => one.endsWith('agents/codex/hooks.ts')))
  assert.deepEqual(
    loaded.filter(
      (one) =>
        !/^node:|\/tool-kinds\.ts$/.test(one) &&
        (!one.includes('/recorder/agents/') || /transcript|cost|lines/.test(one)),
    ),
    [],
  )
})

test('an agent of your own names itself in its documents, whosever hooks it uses', () => {
  const base = { agent: 'my-agent', session_id: 's-1', cwd: '/shop' }
  const command = { tool_name: 'Bash', tool_input: { command: 'npm test' }, tool_use_id: 't' }
  for (const named of ['claude', 'codex', 'droid']) {
    const [prompted] = readDocument(named, { ...base, hook_event_name: 'UserPromptSubmit', prompt: 'Test it.' }, {})
    assert.deepEqual([prompted?.agent, prompted?.step], ['my-agent', { kind: 'prompt', text: 'Test it.' }])
    const [ran] = readDocument(
      named,
      { ...base, hook_event_name: 'PostToolUse', ...command, tool_response: { exit_code: 3 } },
      {},
    )
    assert.deepEqual(ran?.step, { kind: 'tool', tool: 'Bash', id: 't', command: 'npm test', exitCode: 3, failed: true })
  }
  for (const agent of ['../x', 'My Agent', '', 7, 'x'.repeat(65)]) {
    const [seen] = readDocument('claude', { ...base, agent, hook_event_name: 'Stop' }, {})
    assert.equal(seen?.agent, 'unknown')
  }
  // The marks of an agent count more than a name.
  const path = '/home/me/.claude/projects/-shop/s-1.jsonl'
  assert.equal(
    readDocument('claude', { ...base, hook_event_name: 'Stop', transcript_path: path }, {})[0]?.agent,
    'claude-code',
  )
})
