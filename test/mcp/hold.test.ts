import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { stateOf } from '../../src/capture/spool/state-file.ts'
import { localHold } from '../../src/cli/commands/mcp-hold.ts'
import { reap } from '../../src/nouns/run/take-lease.ts'
import { openStore } from '../../src/operations/open.ts'
import { connect, placeOf } from '../../src/place/connect.ts'
import { serve } from '../../src/server/serve.ts'
import { freshFolder, homeOf } from '../cli/folder.ts'
import { testOn } from '../support/engines.ts'
import { adminKey } from '../support/server.ts'
import { copySqlite } from '../support/template.ts'
import { agentByStdio, type LocalAgent } from './connect.ts'

interface Home {
  env: Record<string, string | undefined>
  folder: string
  databaseUrl: string
}

function home(t: TestContext): Home {
  const folder = freshFolder(t)
  const databaseUrl = `sqlite:${join(folder, 'conduct.db')}`
  copySqlite(join(folder, 'conduct.db'))
  return { env: { ...homeOf(folder), CONDUCT_DATABASE_URL: databaseUrl }, folder, databaseUrl }
}

async function ledgerOf(t: TestContext, { env, folder }: Home) {
  const { client, close } = await connect(placeOf({}, env, folder), env)
  t.after(close)
  return client
}

/** Kills the agent's server, which has no time to end its runs. */
async function kill({ pid, client }: LocalAgent) {
  const gone = new Promise<void>((resolve) => {
    client.onclose = resolve
  })
  process.kill(pid, 'SIGKILL')
  await gone
}

/** Reaps the leases that expire in the next two minutes. */
async function later(databaseUrl: string) {
  const store = await openStore(databaseUrl, { now: () => Date.now() + 120_000 })
  await reap(store.db, store.now())
  await store.close()
}

test('a process that is killed fails its run, and another can continue it', async (t) => {
  const its = home(t)
  const client = await ledgerOf(t, its)
  const first = await agentByStdio(t, its.env, its.folder)
  const { runId } = (await first.call('start_run', { title: 'long work' })).data as { runId: string }
  await first.call('log_run', { text: 'one' })
  const { leaseExpiresAt } = (await client.getRun({ runId })).run
  assert.ok(Date.parse(leaseExpiresAt ?? '') - Date.now() <= 120_000, 'the lease is short')
  await kill(first)
  await later(its.databaseUrl)
  const dead = (await client.getRun({ runId })).run
  assert.deepEqual([dead.status, dead.failure?.code], ['failed', 'LEASE_EXPIRED'])

  const second = await agentByStdio(t, its.env, its.folder)
  assert.match(await second.refused('log_run', { text: 'two' }), new RegExp(`started no run; open are ${runId}`))
  await second.call('log_run', { text: 'two', runId })
  await second.call('log_run', { text: 'three' })
  const { run } = await client.getRun({ runId })
  assert.deepEqual([run.status, run.failure, run.content], ['in_progress', null, 'one\ntwo\nthree\n'])
})

test('a run of an agent needs the checks that conduct.json requires', async (t) => {
  const its = home(t)
  writeFileSync(join(its.folder, 'conduct.json'), '{ "project": "default", "required": ["tests"] }')
  const client = await ledgerOf(t, its)
  const agent = await agentByStdio(t, its.env, its.folder)
  const { runId } = (await agent.call('start_run', { title: 'x' })).data as { runId: string }
  await agent.call('record_check', { name: 'lint', result: 'pass' })
  const { run } = await client.getRun({ runId })
  assert.deepEqual([run.required, run.verdict], [['tests'], 'unchecked'])
})

test('after finish_run, a call without a runId learns which run is finished', async (t) => {
  const its = home(t)
  await ledgerOf(t, its)
  const agent = await agentByStdio(t, its.env, its.folder)
  const { runId } = (await agent.call('start_run', { title: 'short work' })).data as { runId: string }
  const end = { status: 'completed', summary: 'Done.' }
  await agent.call('finish_run', end)
  const message = `runId: is required, since this process has finished ${runId}; none is open: start_run starts one.`
  assert.equal(await agent.refused('finish_run', end), message)
  await agent.call('finish_run', { ...end, runId })
})

test('on a server, the reaper fails the run of a killed process, with the reason', async (t) => {
  const folder = freshFolder(t)
  let ahead = 0
  const store = await openStore('sqlite::memory:', { adminKey, now: () => Date.now() + ahead })
  const running = await serve({ store, host: '127.0.0.1', port: 0, rateLimit: 0 })
  t.after(() => running.stop())
  const env = { ...homeOf(folder), CONDUCT_URL: running.url, CONDUCT_API_KEY: adminKey }
  const client = await ledgerOf(t, { env, folder, databaseUrl: '' })
  const agent = await agentByStdio(t, env, folder)
  const { runId } = (await agent.call('start_run', { title: 'long work' })).data as { runId: string }
  await kill(agent)
  ahead = 120_000
  for await (const { subject, changes } of client.follow({ after: 0, subject: runId })) {
    if (subject === runId && changes.failure) break
  }
  const { run } = await client.getRun({ runId })
  assert.deepEqual([run.status, run.failure?.code], ['failed', 'LEASE_EXPIRED'])
})

for (const way of ['closes stdin', 'sends SIGTERM'] as const) {
  test(`a client that ${way} ends its open runs as failed`, async (t) => {
    const its = home(t)
    const client = await ledgerOf(t, its)
    const agent = await agentByStdio(t, its.env, its.folder)
    await agent.call('start_run', { title: 'one' })
    const done = (await agent.call('start_run', { title: 'two' })).data as { runId: string }
    assert.match(await agent.refused('log_run', { text: 'x' }), /2 runs open; open are RUN-001, RUN-002/)
    await agent.call('finish_run', { status: 'completed', summary: 'done', runId: done.runId })
    await agent.call('log_run', { text: 'only one is left' })
    if (way === 'sends SIGTERM') {
      const closed = new Promise<void>((resolve) => {
        agent.client.onclose = resolve
      })
      process.kill(agent.pid, 'SIGTERM')
      await closed
    } else {
      await agent.client.close()
    }
    const { runs } = await client.listRuns({ order: 'asc' })
    assert.deepEqual(
      runs.map(({ status, failure }) => [status, failure?.code]),
      [
        ['failed', 'SESSION_ENDED'],
        ['completed', undefined],
      ],
    )
    assert.deepEqual(
      stateOf(its.env).open(placeOf({}, its.env, its.folder), { cwd: its.folder }),
      [],
      'nothing is left to go on with',
    )
  })
}

test('inside conduct exec the tools use its run, and do not end it', async (t) => {
  const its = home(t)
  const client = await ledgerOf(t, its)
  const { run, lease } = await client.createRun({ title: 'npm test', leaseSeconds: 60 })
  const state = stateOf(its.env)
  t.after(() => state.close())
  state.record({ name: 'exec-1', kind: 'exec', place: placeOf({}, its.env, its.folder), cwd: '/elsewhere' })
  state.update('exec-1', { runId: run.runId, leaseToken: lease?.token ?? null })
  const agent = await agentByStdio(t, { ...its.env, CONDUCT_RUN_ID: run.runId }, its.folder)
  const told = await agent.call('start_run', { title: 'Fix the tests', specId: 'FIX-1' })
  assert.equal(told.data.runId, run.runId)
  assert.match(told.text, /opened by your session.*There is no spec 'FIX-1'/)
  await agent.call('log_run', { text: 'fixed' })
  assert.match((await agent.call('finish_run', { status: 'failed', summary: 'No.' })).text, /ends with your session/)
  assert.notEqual((await agent.call('start_run', { title: 'again', retryOf: run.runId })).data.runId, run.runId)
  await agent.client.close()
  const after = (await client.getRun({ runId: run.runId })).run
  assert.deepEqual(
    [after.status, after.title, after.specId, after.content],
    ['in_progress', 'Fix the tests', 'FIX-1', 'fixed\n\n## Summary\n\nIt failed. No.\n'],
  )
})

test('one process holds a run for two hours of beats after its last call, and lets go of a lost one', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() })
  const its = home(t)
  const client = await ledgerOf(t, its)
  const state = stateOf(its.env)
  t.after(() => state.close())
  const beats: string[] = []
  const counting = {
    ...client,
    heartbeat: (...call: Parameters<typeof client.heartbeat>) => {
      beats.push(call[0].runId)
      return client.heartbeat(...call)
    },
  }
  const options = { client: counting, state, place: placeOf({}, its.env, its.folder), cwd: its.folder, env: {} }
  const hold = localHold(options)
  const { runId } = await hold.start({ title: 'x' }, {}, {})
  await hold.beat()
  // The machine sleeps for a day.
  t.mock.timers.setTime(Date.now() + 24 * 3600_000)
  for (let beat = 1; beat < 240; beat++) await hold.beat()
  assert.deepEqual(beats, Array(240).fill(runId))
  await hold.beat()
  assert.equal(beats.length, 240, 'nothing was written to it for too long')
  await hold.write(runId, (leaseToken) => client.appendToRun({ runId, text: 'back', leaseToken }), {})
  await hold.beat()
  assert.equal(beats.length, 241)

  const other = localHold(options)
  await other.write(runId, (leaseToken) => client.appendToRun({ runId, text: 'I, too', leaseToken }), {})
  await other.beat()
  await other.end()
  assert.equal((await client.getRun({ runId })).run.status, 'in_progress', 'it is held by the first')

  await client.updateRun({ runId, status: 'failed' })
  await client.updateRun({ runId, title: 'mine now' })
  await hold.beat()
  assert.deepEqual(state.open(options.place, { cwd: options.cwd }), [])
  await hold.end()
  assert.equal((await client.getRun({ runId })).run.title, 'mine now')
})

testOn('postgres', 'the lease of a run is held even if the database URL has a password', async ({ freshUrl }, t) => {
  const [url, folder] = [new URL(await freshUrl(t)), freshFolder(t)]
  assert.ok(url.password)
  const env = { ...homeOf(folder), CONDUCT_DATABASE_URL: url.href }
  const place = placeOf({}, env, folder)
  const { client, close } = await connect(place, env)
  t.after(close)
  const state = stateOf(env)
  t.after(() => state.close())
  const hold = localHold({ client, state, place, cwd: folder, env: {} })
  const { runId } = await hold.start({ title: 'x' }, {}, {})
  await hold.write(runId, (leaseToken) => client.appendToRun({ runId, text: 'held', leaseToken }), {})
  assert.equal((await client.getRun({ runId })).run.content, 'held')
  await hold.end()
})
