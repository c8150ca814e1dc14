import assert from 'node:assert/strict'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { stateFile } from '../src/capture/spool/state-file.ts'
import { type Client, createClient } from '../src/client/client.ts'
import { openStore } from '../src/operations/open.ts'
import { serve } from '../src/server/serve.ts'
import { entered, exchange, project, write } from './cli/past-sessions.ts'
import { conduct, conductHere } from './cli/program.ts'
import { claudeIn, syncAll, workplace } from './cli/session.ts'
import { writeFiles } from './cli/user.ts'
import { type Engine, engines, testLedger } from './support/engines.ts'
import { adminKey } from './support/server.ts'

const required = ['tests']
const claim = { name: 'tests', result: 'pass', command: 'npm test', exitCode: 0 } as const
const limits = readFileSync(new URL('../docs/verdict.md', import.meta.url), 'utf8').replace(/\s+/g, ' ')

/** A recorded session of a user who runs what the agent runs. The tests would fail. */
async function scene(t: TestContext, engine: Engine) {
  const { url } = await engine.ledger(t)
  const store = await openStore(url, { adminKey })
  const running = await serve({ host: '127.0.0.1', port: 0, store })
  t.after(() => running.stop())
  const as = (key: string) => createClient({ url: running.url, key, project: 'shop' })
  const admin = as(adminKey)
  await createClient({ url: running.url, key: adminKey }).createProject({ slug: 'shop' })
  const keyOf = (name: string, person: string | null) =>
    admin.createKey({ name, permissions: ['agent'], person }).then(({ secret }) => secret)
  const secret = await keyOf('agent', 'Ada <ada@example.com>')
  const user = workplace(t, { CONDUCT_URL: running.url, CONDUCT_API_KEY: secret, PATH: process.env.PATH ?? '' })
  writeFiles(user.cwd, {
    'conduct.json': JSON.stringify({ project: 'shop', checks: { tests: 'npm test' }, required }),
    'package.json': '{ "scripts": { "test": "false" } }',
  })
  user.git('add', '-A')
  user.git('commit', '-qm', 'base')
  const claude = claudeIn(user.cwd, user.env)
  await claude.prompt('Work')
  await syncAll(user.env)
  return { ...user, claude, agent: as(secret), ci: as(await keyOf('ci', null)) }
}

type Scene = Awaited<ReturnType<typeof scene>>

const newest = async (client: Client) => (await client.listRuns({ limit: 1 })).runs[0] ?? assert.fail('no run')

/** By the words with which docs/verdict.md names it: what the recorder cannot tell from its own work. */
const imitations: Record<string, (scene: Scene) => Promise<unknown>> = {
  'reads its token from its files': async ({ env, agent }) => {
    const state = new DatabaseSync(stateFile(env), { readOnly: true })
    const { run_id, lease_token } = state.prepare('select run_id, lease_token from recordings').get() ?? {}
    state.close()
    const { git } = await newest(agent)
    const trees = { startTree: git?.tree, tree: git?.tree }
    const proof = { recorder: 'hook', leaseToken: String(lease_token) } as const
    await agent.createCheck({ runId: String(run_id), ...claim, ...trees, ...proof })
  },
  'feeds invented documents to its hooks': async ({ claude, env }) => {
    await claude.use('Bash', { command: 'npm test' }, () => {})
    await syncAll(env)
  },
  'replaces programs on the PATH': async ({ cwd, env, claude }) => {
    writeFiles(cwd, { 'node_modules/.bin/npm': '#!/bin/sh\nexit 0\n', '.git/info/exclude': 'node_modules\n' })
    chmodSync(join(cwd, 'node_modules/.bin/npm'), 0o755)
    const PATH = `${join(cwd, 'node_modules/.bin')}:${env.PATH}`
    const words = ['check', 'exec', '--name', 'tests', '--', 'npm', 'test']
    await conduct(words, { ...env, PATH, CLAUDE_CODE_SESSION_ID: claude.session }, cwd)
    await syncAll(env)
  },
  'creates a run over the API and acts as its recorder': async ({ agent }) => {
    const { git } = await newest(agent)
    const { run, lease } = await agent.createRun({ git, required, leaseSeconds: 60 })
    const trees = { startTree: git?.tree, tree: git?.tree }
    await agent.createCheck({ runId: run.runId, ...claim, ...trees, recorder: 'hook', leaseToken: lease?.token })
  },
}

for (const engine of engines) {
  for (const [words, imitate] of Object.entries(imitations)) {
    test(`only independent evidence withstands it: an author ${words} (${engine.name})`, async (t) => {
      assert.ok(limits.includes(words), 'docs/verdict.md names it')
      const all = await scene(t, engine)
      const { agent, ci } = all
      await imitate(all)
      const forged = await newest(agent)
      assert.deepEqual([forged.verdict, forged.evidence], ['verified', 'executed'])
      const { runId, git } = forged
      const seen = { commit: git?.commit, commitTree: git?.commitTree, tree: git?.tree, dirty: false }
      await ci.createCheck({ runId, ...claim, result: 'fail', exitCode: 1, ...seen })
      await imitate(all)
      const { run } = await agent.getRun({ runId })
      assert.deepEqual([run.verdict, run.evidence], ['failing', 'independent'])
    })
  }
}

testLedger(
  'an imported transcript is no evidence: not of its commands, and not of what its agent says',
  async (ledger, t) => {
    const { run, claude, work } = entered(t, ledger)
    writeFileSync(join(work, 'conduct.json'), JSON.stringify({ project, checks: { tests: 'npm test' }, required }))
    const [prompt = '', answer = ''] = exchange(1, work, 'Test it')
    const said = JSON.parse(answer)
    const called = { type: 'tool_use', id: 'toolu_1', name: 'Bash', input: { command: 'npm test' } }
    const result = { tool_use_id: 'toolu_1', type: 'tool_result', content: 'all pass', is_error: false }
    const lines = [
      { ...said, message: { ...said.message, id: 'm0', content: [called], stop_reason: 'tool_use' } },
      { ...said, type: 'user', message: { role: 'user', content: [result] }, toolUseResult: { stdout: 'all pass' } },
    ]
    write(claude, `${prompt}${lines.map((line) => `${JSON.stringify(line)}\n`).join('')}${answer}`)
    await run('claude')
    const client = ledger.as({ project })
    const { verdict, evidence, runId } = await newest(client)
    const { turns } = await client.listTurns({ runId })
    assert.deepEqual(
      turns.flatMap(({ commands = [] }) => commands).map(({ command }) => command),
      ['npm test'],
    )
    assert.deepEqual([verdict, evidence, (await client.listChecks({})).checks], ['unchecked', null, []])
  },
)

testLedger('an edited export fills no ledger that is in use', async (ledger, t) => {
  const { env, home } = entered(t, ledger)
  const { run } = await ledger.client.createRun({ title: 'work', required })
  await ledger.client.createCheck({ runId: run.runId, ...claim })
  const file = join(home, 'ledger.ndjson')
  assert.equal((await conductHere(['export', file], env, home)).code, 0)
  const text = readFileSync(file, 'utf8')
  const edited = text.replace('"recorder":null', '"recorder":"hook"')
  assert.notEqual(edited, text)
  writeFileSync(file, edited)
  for (const words of [
    ['import', file],
    ['import', file, '--check'],
  ]) {
    const { code, stderr } = await conductHere(words, env, home)
    assert.notEqual(code, 0, stderr)
  }
  const { checks } = await ledger.client.listChecks({})
  assert.deepEqual(
    checks.map(({ evidence }) => evidence),
    ['self'],
  )
})
