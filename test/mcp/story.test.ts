import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { Client } from '../../src/client/client.ts'
import { connect, placeOf } from '../../src/place/connect.ts'
import { freshFolder, homeOf } from '../cli/folder.ts'
import { base, engines, openLedger } from '../support/engines.ts'
import { adminKey, startServer } from '../support/server.ts'
import { type Agent, agentByHttp, agentByStdio, revisions } from './connect.ts'

/** A piece of work from start to end, as an agent reports it. */
async function work({ call }: Agent, isAlone: boolean): Promise<string> {
  const spec = await call('save_spec', { title: 'Passkeys', content: '- [x] button\n- [ ] tests' })
  const started = await call('start_run', { title: 'Add passkeys', specId: spec.data.specId as string })
  const runId = started.data.runId as string
  const named = isAlone ? {} : { runId }
  await call('log_run', { text: 'Wrote the button.', features: ['login'], ...named })
  await call('log_run', { text: 'Wrote the tests.', ...named })
  const first = await call('record_check', { name: 'tests', result: 'fail', ...named })
  assert.match(first.text, /failing.*only your claim/s)
  const check = {
    name: 'tests',
    result: 'pass',
    command: 'npm test',
    exitCode: 0,
    durationMs: 1200,
    content: '12 pass',
  }
  const second = await call('record_check', { ...check, ...named })
  assert.match(second.text, /verified \(evidence: self\): Claimed by its author/)
  const end = { status: 'completed', summary: 'Users log in with a passkey.', features: ['login', 'account'], ...named }
  const finished = await call('finish_run', end)
  assert.deepEqual(finished.data, { runId, status: 'completed', verdict: 'verified', evidence: 'self' })
  assert.match((await call('read_ledger', { id: runId })).text, /Users log in with a passkey/)
  assert.match((await call('search_ledger', { query: 'passkey' })).text, new RegExp(`run ${runId} completed`))
  return runId
}

async function assertTold(client: Client, runId: string) {
  const { run } = await client.getRun({ runId })
  assert.deepEqual(
    [run.status, run.verdict, run.evidence, run.title, run.leaseExpiresAt],
    ['completed', 'verified', 'self', 'Add passkeys', null],
  )
  assert.equal(run.specVersion, 1)
  assert.equal(run.content, 'Wrote the button.\nWrote the tests.\n\n## Summary\n\nUsers log in with a passkey.\n')
  assert.deepEqual(run.features.map(({ name }) => name).sort(), ['account', 'login'])
}

for (const revision of revisions) {
  for (const engine of engines) {
    test(`an agent reports its work over HTTP (${revision}, ${engine.name})`, async (t) => {
      const { client, app } = await openLedger(t, engine)
      const key = (await client.createKey({ name: 'agents', permissions: ['agent'] })).secret
      const agent = await agentByHttp(t, base, key, revision, (request) => app.fetch(request))
      await assertTold(client, await work(agent, false))
    })
  }

  test(`an agent reports its work on stdio to a local file (${revision})`, async (t) => {
    const folder = freshFolder(t)
    const env = { ...homeOf(folder), CONDUCT_DATABASE_URL: `sqlite:${join(folder, 'conduct.db')}` }
    const agent = await agentByStdio(t, env, folder, revision)
    const runId = await work(agent, true)
    await agent.client.close()
    assert.equal(agent.errors(), '')
    const { client, close } = await connect(placeOf({}, env, folder), env)
    await assertTold(client, runId)
    assert.equal((await client.getRun({ runId })).run.agent, 'test-agent')
    await close()
  })

  test(`an agent reports its work on stdio to a server (${revision})`, async (t) => {
    const { agent, client } = await onServer(t, revision)
    await assertTold(client, await work(agent, true))
  })
}

async function onServer(t: TestContext, revision: (typeof revisions)[number]) {
  const folder = freshFolder(t)
  const { url } = await startServer(t, `sqlite:${join(folder, 'conduct.db')}`)
  const env = { ...homeOf(folder), CONDUCT_URL: url, CONDUCT_API_KEY: adminKey }
  const { client } = await connect(placeOf({}, env, folder), env)
  return { agent: await agentByStdio(t, env, folder, revision), client }
}

test('an agent reports its work over HTTP through a socket', async (t) => {
  const { url } = await startServer(t, `sqlite:${join(freshFolder(t), 'conduct.db')}`)
  for (const revision of revisions) await work(await agentByHttp(t, url, adminKey, revision), false)
})
