import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { settleNotes } from '../../src/capture/hook/session.ts'
import { stateOf } from '../../src/capture/spool/state-file.ts'
import { createClient } from '../../src/client/client.ts'
import { placeOf } from '../../src/place/connect.ts'
import { main } from '../support/program.ts'
import { adminKey, openServer } from '../support/server.ts'
import { freePort } from '../support/setup.ts'
import { freshFolder, homeOf } from './folder.ts'
import { conduct, conductHere, type ProgramEnv } from './program.ts'
import {
  claudeIn,
  type Document,
  documentsOf,
  hook,
  onlyRun,
  runsOf,
  secret,
  syncAll,
  workplace,
  writeTranscript,
} from './session.ts'
import { writeFiles } from './user.ts'

// The documents in hooks/*.jsonl have the form that these pages and real sessions show:
// https://code.claude.com/docs/en/hooks, https://developers.openai.com/codex/hooks, https://cursor.com/docs/agent/hooks

const told = {
  claude: {
    agent: 'claude-code',
    version: '2.1.332',
    usage: {
      model: 'claude-sonnet-4-5',
      inputTokens: 345,
      outputTokens: 66,
      cacheReadTokens: 300,
      cacheWriteTokens: 0,
    },
  },
  codex: {
    agent: 'codex',
    version: '0.171.0',
    usage: { model: 'gpt-5.6-sol', inputTokens: 350, outputTokens: 45, cacheReadTokens: 0, cacheWriteTokens: 0 },
  },
  cursor: {
    agent: 'cursor',
    version: '3.13.10',
    usage: {
      model: 'claude-opus-4-7',
      inputTokens: 20_152,
      outputTokens: 150,
      cacheReadTokens: 8704,
      cacheWriteTokens: 0,
    },
  },
}
type Name = keyof typeof told
const names = Object.keys(told) as Name[]

async function withServer(t: TestContext, port = 0) {
  const { url } = await openServer(t, 'sqlite::memory:', { port })
  await createClient({ url, key: adminKey }).createProject({ slug: 'shop' })
  return { CONDUCT_URL: url, CONDUCT_API_KEY: adminKey }
}

/** Runs the hook in a process of its own, as an agent does. */
async function hookProcess(name: string, document: Document, env: ProgramEnv) {
  assert.deepEqual(await conduct(['hook', name], env, '/', JSON.stringify(document)), {
    code: 0,
    stdout: '',
    stderr: '',
  })
}

async function replay(name: string, documents: Document[], env: ProgramEnv) {
  for (const document of documents) await hook(name, document, env)
}

const isPrompt = ({ prompt }: Document) => prompt !== undefined

for (const [name, where] of [
  ...names.map((name) => [name, 'the local file'] as const),
  ['claude', 'a server'] as const,
]) {
  test(`a session of ${name} is one run on ${where}`, async (t) => {
    const user = workplace(t, where === 'a server' ? await withServer(t) : {})
    const { env, folder, cwd, git } = user
    writeTranscript(folder, name)
    const documents = documentsOf(name, { folder, cwd })
    const first = documents.findIndex(isPrompt) + 1

    await replay(name, documents.slice(0, first), env)
    await syncAll(env)
    const begun = await onlyRun(user)
    assert.equal(begun.title, 'Fix the login')
    assert.equal(begun.status, 'in_progress')
    assert.ok(begun.leaseExpiresAt)
    assert.equal(begun.git?.branch, 'main')
    assert.equal(begun.git?.commit, git('rev-parse', 'HEAD'))

    writeFileSync(join(cwd, 'src/login.ts'), 'answer(401)\nlog()\n')
    await replay(name, documents.slice(first), env)
    await syncAll(env)

    const run = await onlyRun(user)
    assert.equal(run.project, 'shop')
    assert.equal(run.status, 'completed')
    assert.deepEqual([run.agent, run.agentVersion], [told[name].agent, told[name].version])
    assert.equal(run.where?.cwd, cwd)
    assert.match(run.where?.session ?? '', /^[0-9a-f-]{36}$/)
    const { costUsd: _, costSource: __, ...usage } = run.usage ?? {}
    assert.deepEqual(usage, told[name].usage)
    assert.deepEqual(run.changes, { files: 1, insertions: 2, deletions: 1 })
    assert.equal(run.git?.dirty, true)
    assert.match(run.content, /^## Fix the login\n\n> Fix the login\n/)
    assert.match(run.content, /^- changed `src\/login\.ts`$/m)
    assert.match(run.content, /^- ran `npm test`: exit 1(?:, \d+m?s)?$/m)
    assert.ok(!JSON.stringify(run).includes(secret))
    assert.match(run.content, /staging server is \[masked\]/)
  })
}

test('hooks that run twice, at once or later, are recorded once', async (t) => {
  const user = workplace(t)
  const { env, folder, cwd } = user
  const documents = documentsOf('claude', { folder, cwd })
  for (const document of documents) await Promise.all([hook('claude', document, env), hook('claude', document, env)])
  await syncAll(env)
  const first = await onlyRun(user)
  assert.match(first.content, /^- used Read, Edit, Bash ×2 \(1 failed\)$/m)
  assert.equal(first.content.match(/^## /gm)?.length, 1)
  await replay('claude', documents, env)
  await syncAll(env)
  assert.deepEqual(await onlyRun(user), first)
})

test('a beginning that is told again while its command runs changes nothing', async (t) => {
  const user = workplace(t)
  const { env, cwd, git } = user
  writeFiles(cwd, { 'conduct.json': '{ "project": "shop", "checks": { "tests": "sh test.sh" } }', 'test.sh': 'true\n' })
  git('add', '-A')
  git('commit', '-qm', 'rules')
  const claude = claudeIn(cwd, env)
  await claude.prompt('Go')
  const call = { tool_name: 'Bash', tool_input: { command: 'sh test.sh' }, tool_use_id: 'toolu_1' }
  await claude.tell('PreToolUse', call)
  await claude.tell('PermissionRequest', call)
  writeFiles(cwd, { 'src/login.ts': 'answer(401)\n' })
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 3_000 })
  await claude.tell('PreToolUse', call)
  using state = stateOf(env)
  const name = `claude-${claude.session}`
  assert.equal(state.doing(name)?.state, 'waiting')
  await claude.tell('PostToolUse', { ...call, tool_response: {} })
  t.mock.timers.reset()
  assert.deepEqual(state.unended(name), [])
  await claude.stop()
  await syncAll(env)
  const { checks } = await (await user.ledger()).listChecks({ runId: (await onlyRun(user)).runId })
  assert.deepEqual(
    checks.map(({ result, startTree, tree }) => [result, startTree, tree]),
    [['pass', git('rev-parse', 'HEAD^{tree}'), null]],
  )
})

test('a resumed session continues in its run', async (t) => {
  const user = workplace(t)
  const { env, folder, cwd } = user
  const documents = documentsOf('claude', { folder, cwd })
  await replay('claude', documents, env)
  const again = documents.map((document) => ({
    ...document,
    prompt_id: 'another',
    ...(document.hook_event_name === 'SessionStart' && { source: 'resume' }),
    ...(isPrompt(document) && { prompt: 'Now the logout' }),
    ...(document.tool_use_id !== undefined && { tool_use_id: `${document.tool_use_id}-2` }),
  }))
  const prompt = again.findIndex(isPrompt)
  await replay('claude', again.slice(0, prompt), env)
  await syncAll(env)
  assert.equal((await onlyRun(user)).status, 'completed', 'looking at a session is no work')
  await replay('claude', again.slice(prompt, prompt + 1), env)
  await syncAll(env)
  assert.equal((await onlyRun(user)).status, 'in_progress')
  await replay('claude', again.slice(prompt + 1), env)
  await syncAll(env)
  const run = await onlyRun(user)
  assert.equal(run.status, 'completed')
  assert.equal(run.title, 'Fix the login')
  assert.deepEqual(run.content.match(/^## .*/gm), ['## Fix the login', '## Now the logout'])
})

test('a session without a reachable server is sent later', async (t) => {
  const port = await freePort()
  const user = workplace(t, { CONDUCT_URL: `http://127.0.0.1:${port}/conduct`, CONDUCT_API_KEY: adminKey })
  const { env, folder, cwd } = user
  await replay('codex', documentsOf('codex', { folder, cwd }), env)
  assert.equal((await conductHere(['sync'], env)).code, 7)
  await withServer(t, port)
  await syncAll(env)
  const run = await onlyRun(user)
  assert.equal(run.status, 'completed')
  assert.match(run.content, /npm test/)
})

test('hooks that run at the same time lose nothing', async (t) => {
  const user = workplace(t)
  const { env, folder, cwd } = user
  const [prompt, tool, stop] = ['UserPromptSubmit', 'PostToolUseFailure', 'Stop'].map((event) =>
    documentsOf('claude', { folder, cwd }).find(({ hook_event_name }) => hook_event_name === event),
  )
  assert.ok(prompt && tool && stop)
  await hookProcess('claude', prompt, env)
  const many = Array.from({ length: 8 }, (_, index) => ({ ...tool, tool_use_id: `toolu_${index}` }))
  await Promise.all(many.map((document) => hookProcess('claude', document, env)))
  await hookProcess('claude', stop, env)
  await syncAll(env)
  const run = await onlyRun(user)
  assert.match(run.content, /^- used Bash ×8 \(8 failed\)$/m)
  assert.equal(run.content.match(/^- ran `npm test`: exit 1$/gm)?.length, 8)
  assert.equal(run.status, 'in_progress', 'a session whose end nobody tells is left to its lease')
})

test('the end of a session is recorded, even if another sync settles its last turn meanwhile', async (t) => {
  const user = workplace(t)
  const { env, cwd } = user
  const state = stateOf(env)
  t.after(() => state.close())
  const place = placeOf({}, env, cwd)
  const step = (kind: 'turn' | 'end', key: string) =>
    state.note(
      { name: 'claude-1', kind: 'hook', place, cwd },
      { agent: 'claude-code', session: '1', cwd, step: { kind } },
      key,
      true,
    )
  state.note(
    { name: 'claude-1', kind: 'hook', place, cwd },
    { agent: 'claude-code', session: '1', cwd, step: { kind: 'prompt', text: 'Fix it' } },
    'prompt',
    true,
  )
  step('turn', 'stop')
  let isFirst = true
  const overtaken: typeof state = {
    ...state,
    settle: (...words) => {
      if (!isFirst) return state.settle(...words)
      isFirst = false
      // Another sync has read the same notes, and settles them first; then the session ends.
      state.settle(...words)
      step('end', 'end')
      return state.settle(...words)
    },
  }
  await settleNotes(overtaken, env, assert.fail)
  await syncAll(env)
  const run = await onlyRun(user)
  assert.equal(run.status, 'completed')
  assert.deepEqual(run.content.match(/^## .*/gm), ['## Fix it'])
})

test('a session whose last turn failed is a failed run', async (t) => {
  const user = workplace(t)
  const { env, folder, cwd } = user
  const documents = documentsOf('claude', { folder, cwd }).map((document) =>
    document.hook_event_name === 'Stop'
      ? {
          ...document,
          hook_event_name: 'StopFailure',
          error: 'rate_limit',
          last_assistant_message: `Limit of ${secret}`,
        }
      : document,
  )
  await replay('claude', documents, env)
  await syncAll(env)
  const run = await onlyRun(user)
  assert.equal(run.status, 'failed')
  assert.deepEqual(run.failure, { code: 'RATE_LIMIT', message: 'Limit of [masked]' })
})

test('invalid documents and sessions of no project are ignored without an error', async (t) => {
  const user = workplace(t)
  const { env, folder, cwd } = user
  const [start, prompt] = documentsOf('claude', { folder, cwd })
  assert.ok(start && prompt)
  const garbage = ['', 'garbage', '[]', 'null', '{"hook_event_name":', '{"session_id":7}', '\u0000', '{}{}']
  for (const [index, text] of garbage.entries()) await hook(names[index % names.length] ?? 'claude', text, env)
  await hook('claude', { ...prompt, hook_event_name: 'Tomorrow' }, env)
  await hook('claude', { ...prompt, session_id: '../../etc' }, env)
  await hook('claude', { ...prompt, cursor_version: '3.13.10' }, env)
  await hook('codex', { ...prompt, agent_id: 'a-subagent' }, env)
  await hook('claude', start, env)
  assert.equal((await conduct(['hook', 'emacs'], env, '/', '{}')).code, 0)
  rmSync(join(cwd, 'conduct.json'))
  await hook('claude', prompt, env)
  writeFileSync(join(cwd, 'conduct.json'), '{')
  await hook('claude', prompt, env)
  writeFileSync(join(cwd, 'conduct.json'), '{ "project": "shop" }')
  await syncAll(env)
  assert.deepEqual(await runsOf(user), [])
})

test('a state that cannot be written does not disturb the agent', async (t) => {
  const folder = freshFolder(t)
  writeFileSync(join(folder, 'conduct.json'), '{ "project": "shop" }')
  writeFileSync(join(folder, '.local'), 'a file where a folder should be')
  for (const name of names) {
    const document = documentsOf(name, { folder, cwd: folder }).find(isPrompt)
    assert.ok(document)
    await hook(name, document, homeOf(folder))
  }
})

test('a hook ends when its document is complete, even if the agent leaves the pipe open', async (t) => {
  const user = workplace(t)
  const { env, folder, cwd } = user
  const prompt = documentsOf('cursor', { folder, cwd }).find(isPrompt)
  const child = spawn(process.execPath, [main, 'hook', 'cursor'], { env, stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.write(JSON.stringify(prompt))
  assert.deepEqual(await once(child, 'exit'), [0, null])
  await syncAll(env)
  assert.equal((await onlyRun(user)).title, 'Fix the login')
})

test('a hook loads few modules, and no package', () => {
  const source = fileURLToPath(new URL('../../src/', import.meta.url))
  const loaded = new Set<string>()
  const load = (file: string) => {
    if (loaded.has(file)) return
    loaded.add(file)
    const found = readFileSync(join(source, file), 'utf8').matchAll(/^import (?!type )[^'"]*?from '([^']+)'/gm)
    for (const [, name = ''] of found) {
      if (name.startsWith('.')) load(join(dirname(file), name))
      else assert.ok(name.startsWith('node:'), `${file} loads ${name}`)
    }
  }
  load('capture/hook/observe.ts')
  assert.ok(loaded.size <= 63, `${loaded.size} files: ${[...loaded].join(', ')}`)
  assert.ok(globSync('cli/**/*.ts', { cwd: source }).length > loaded.size / 2)
})
