import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type ProcessId, thisProcess } from '../../src/capture/spool/process.ts'
import { stateOf } from '../../src/capture/spool/state-file.ts'
import type { Input } from '../../src/client/client.ts'
import { connect, type Place, placeOf } from '../../src/place/connect.ts'
import { freshFolder, homeOf } from '../cli/folder.ts'
import { gitIn, writeFiles } from '../cli/user.ts'
import { copySqlite } from '../support/template.ts'
import { agentByStdio } from './connect.ts'

interface SessionOptions {
  agentProcess?: ProcessId
  place?: Place
  ended?: boolean
  git?: Input<'createRun'>['git']
}

/**
 * A folder in which sessions are recorded, each with its run, and agents call the tools. This process starts the
 * agents.
 */
async function workplace(t: TestContext) {
  const folder = freshFolder(t)
  const env = { ...homeOf(folder), CONDUCT_DATABASE_URL: `sqlite:${join(folder, 'conduct.db')}` }
  copySqlite(join(folder, 'conduct.db'))
  const here = placeOf({}, env, folder)
  const { client, close } = await connect(here, env)
  t.after(close)
  const state = stateOf(env)
  t.after(() => state.close())

  async function record(session: string, { agentProcess, place = here, ended = false, git }: SessionOptions = {}) {
    const { run, lease } = await client.createRun({ title: `session ${session}`, leaseSeconds: 600, git })
    const name = `claude-${session}`
    state.record({ name, kind: 'hook', place, cwd: folder, session, ...(agentProcess && { agentProcess }) })
    state.update(name, { runId: run.runId, leaseToken: lease?.token ?? null, ended })
    return run.runId
  }

  const agentOf = (more: Record<string, string> = {}) => agentByStdio(t, { ...env, ...more }, folder)
  const runOf = async (runId: unknown) => (await client.getRun({ runId: runId as string })).run
  return { here, folder, client, state, record, agentOf, runOf }
}

const work = { title: 'Passkeys' }

test('two sessions in one folder whose agents name them stay separate in every call', async (t) => {
  const { client, record, agentOf, runOf } = await workplace(t)
  const ids = [await record('A'), await record('B')]
  const agents = await Promise.all(['A', 'B'].map((id) => agentOf({ CLAUDE_CODE_SESSION_ID: id })))
  for (const [at, { call }] of agents.entries()) {
    const told = await call('start_run', { title: `of ${at}` })
    assert.deepEqual([told.data.runId, /opened by your session/.test(told.text)], [ids[at], true])
    await call('log_run', { text: `log ${at}`, features: [`feature ${at}`] })
    await call('record_check', { name: `check ${at}`, result: 'pass', command: 'npm test', exitCode: 0 })
  }
  for (const [at, { call }] of agents.entries()) {
    const told = await call('finish_run', { status: 'completed', summary: `summary ${at}` })
    assert.match(told.text, /has your summary and ends with your session; verified/)
    const run = await runOf(ids[at])
    assert.deepEqual([run.title, run.status], [`of ${at}`, 'in_progress'], 'its end is left to the session')
    assert.equal(run.content, `log ${at}\n\n## Summary\n\nsummary ${at}\n`)
    assert.deepEqual(
      run.features.map(({ name }) => name),
      [`feature ${at}`],
    )
    const { checks } = await client.listChecks({ runId: run.runId })
    assert.deepEqual(
      checks.map(({ name }) => name),
      [`check ${at}`],
    )
  }
  const [first] = agents
  await first?.call('log_run', { text: 'afterwards' })
  assert.match((await runOf(ids[0])).content, /afterwards\n$/)
  const next = (await first?.call('start_run', work))?.data.runId
  assert.equal((await runOf(next)).title, 'Passkeys')
  assert.ok(!ids.includes(next as string), 'the next piece of work is a run of its own')
  assert.equal((await first?.call('log_run', { text: 'of passkeys' }))?.data.runId, next)
})

test('a server for many sessions learns the session from each call', async (t) => {
  const { record, agentOf, runOf } = await workplace(t)
  const [a, b] = [await record('A'), await record('B')]
  const { call, client } = await agentOf()
  await call('log_run', { text: 'by A' }, { sessionId: 'A', threadId: 'T' })
  await call('log_run', { text: 'by B' }, { threadId: 'B' })
  assert.deepEqual([(await runOf(a)).content, (await runOf(b)).content], ['by A\n', 'by B\n'])
  const own = (await call('start_run', work, { sessionId: 'C' })).data.runId
  assert.ok(own !== a && own !== b)
  const refused = (await client.callTool({ name: 'log_run', arguments: { text: 'x' }, _meta: { sessionId: 'D' } }))
    .content
  assert.match(JSON.stringify(refused), /runId: is required, since this process has started no run; open are/)
  await call('log_run', { text: 'by C' }, { sessionId: 'C' })
  assert.equal((await runOf(own)).content, 'by C\n')
})

test('without a session id, a call belongs to the session of the agent above it, and with several it is refused', async (t) => {
  const { record, agentOf, runOf } = await workplace(t)
  const agentProcess = thisProcess()
  const killed = await record('K', { agentProcess: { ...agentProcess, pid: 2 ** 22 + 1 } })
  const a = await record('A', { agentProcess })
  const { call } = await agentOf()
  assert.equal((await call('log_run', { text: 'alone' })).data.runId, a)
  const b = await record('B', { agentProcess })
  const other = await agentOf()
  assert.match(
    await other.refused('log_run', { text: 'x' }),
    new RegExp(`several sessions run in this process; open are ${a}, ${b}`),
  )
  const own = (await other.call('start_run', work)).data.runId as string
  assert.ok(![a, b, killed].includes(own))
  assert.match(await other.refused('log_run', { text: 'x' }), new RegExp(`open are ${a}, ${b}, ${own}`))
  await other.call('log_run', { text: 'mine', runId: own })
  await other.call('finish_run', { status: 'completed', summary: 'done', runId: own })
  assert.equal((await runOf(own)).status, 'completed', 'what it began it ends')
  const contents = await Promise.all([killed, a, b].map(async (runId) => (await runOf(runId)).content))
  assert.deepEqual(contents, ['', 'alone\n', ''])
})

test('a session that has ended, is not recorded or belongs to another project is not used', async (t) => {
  const { here, record, agentOf } = await workplace(t)
  const theirs = [
    await record('ended', { agentProcess: thisProcess(), ended: true }),
    await record('elsewhere', { place: { ...here, project: 'another' } }),
    await record('other'),
  ]
  for (const id of ['ended', 'elsewhere', 'unknown']) {
    const { call } = await agentOf({ CLAUDE_CODE_SESSION_ID: id })
    const told = await call('start_run', work)
    assert.ok(!theirs.includes(told.data.runId as string), id)
    assert.match(told.text, /is started/)
  }
})

test('a call waits for the first prompt of its session', async (t) => {
  const { here, state, client, agentOf, runOf } = await workplace(t)
  state.record({ name: 'claude-A', kind: 'hook', place: here, cwd: '/', session: 'A' })
  const { call, refused } = await agentOf({ CLAUDE_CODE_SESSION_ID: 'A' })
  assert.match(await refused('log_run', { text: 'x' }), /session is not in the ledger yet.*conduct sync/)
  const other = (await client.createRun({})).run.runId
  assert.match((await call('record_check', { name: 'review', result: 'pass', runId: other })).text, /is verified/)
  const answered = call('log_run', { text: 'x' })
  const { run } = await client.createRun({})
  state.update('claude-A', { runId: run.runId })
  await answered
  assert.equal((await runOf(run.runId)).content, 'x\n')
})

test('another attempt in a session is a run of its own, and later calls belong to it', async (t) => {
  const { record, agentOf, runOf } = await workplace(t)
  const a = await record('A')
  const { call, refused } = await agentOf({ CLAUDE_CODE_SESSION_ID: 'A' })
  const second = (await call('start_run', { title: 'again', retryOf: a })).data.runId
  await call('log_run', { text: 'second try' })
  assert.equal((await runOf(second)).content, 'second try\n')
  await call('log_run', { text: 'first', runId: a })
  assert.match(await refused('log_run', { text: 'x' }), new RegExp(`2 runs open; open are ${a}, ${second}`))
})

test('a check has the commit and the tree of the folder', async (t) => {
  const { folder, client, agentOf } = await workplace(t)
  const git = gitIn(folder)
  git('init', '-q')
  writeFiles(folder, { work: 'one', '.gitignore': '*\n!work' })
  git('add', 'work')
  git('commit', '-qm', 'first')
  const { call } = await agentOf()
  await call('start_run', work)
  await call('record_check', { name: 'clean', result: 'pass' })
  writeFiles(folder, { work: 'two' })
  await call('record_check', { name: 'edited', result: 'pass' })
  const { checks } = await client.listChecks({ order: 'asc' })
  const commit = git('rev-parse', 'HEAD')
  const told = checks.map(({ commit, tree, dirty }) => [commit, tree, dirty])
  const first = git('rev-parse', 'HEAD^{tree}')
  git('add', 'work')
  assert.deepEqual(told, [
    [commit, first, false],
    [commit, git('write-tree'), true],
  ])
})

test('after edits, a check of a session is about the files that it tested, and one of another run is stale', async (t) => {
  const { folder, client, record, agentOf, runOf } = await workplace(t)
  const git = gitIn(folder)
  git('init', '-q')
  writeFiles(folder, { work: 'one', '.gitignore': '*\n!work' })
  git('add', 'work')
  git('commit', '-qm', 'first')
  const commit = git('rev-parse', 'HEAD')
  const before = { commit, base: commit, tree: git('rev-parse', 'HEAD^{tree}'), commits: [commit], branch: 'main' }
  const [own, other] = [await record('A', { git: before }), (await client.createRun({ git: before })).run.runId]
  const { call } = await agentOf({ CLAUDE_CODE_SESSION_ID: 'A' })
  writeFiles(folder, { work: 'two' })
  git('add', 'work')
  const told = await call('record_check', { name: 'tests', result: 'pass', command: 'npm test', exitCode: 0 })
  assert.match(told.text, /is verified/)
  const now = { tree: git('write-tree'), dirty: true, commitTree: before.tree, uncommitted: null }
  assert.deepEqual((await runOf(own)).git, { ...before, ...now })
  const foreign = await call('record_check', { name: 'tests', result: 'pass', runId: other })
  assert.match(foreign.text, /is stale/)
  assert.deepEqual((await runOf(other)).git, before)
})

test('a check in a worktree that the session has entered has the tree there, and is stale for its run', async (t) => {
  const { folder, client, state, record, agentOf, runOf } = await workplace(t)
  const git = gitIn(folder)
  git('init', '-q')
  writeFiles(folder, { work: 'broken', '.gitignore': '*\n!work' })
  git('add', '-f', 'work', '.gitignore')
  git('commit', '-qm', 'first')
  const side = join(folder, 'side')
  git('worktree', 'add', '-q', '-b', 'fix', side)
  writeFiles(side, { work: 'fixed' })
  const before = { commit: git('rev-parse', 'HEAD'), tree: git('rev-parse', 'HEAD^{tree}') }
  const own = await record('A', { git: before })
  const { call } = await agentOf({ CLAUDE_CODE_SESSION_ID: 'A' })
  state.heard('claude-A', { state: 'working', tool: 'mcp__conduct__record_check' }, side)
  const told = await call('record_check', { name: 'tests', result: 'pass', command: 'npm test', exitCode: 0 })
  assert.match(told.text, /is stale/)
  assert.equal((await runOf(own)).git?.tree, before.tree)
  const [check] = (await client.listChecks({ runId: own })).checks
  gitIn(side)('add', 'work')
  assert.deepEqual([check?.tree, check?.dirty], [gitIn(side)('write-tree'), true])
})
