import assert from 'node:assert/strict'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import pino from 'pino'
import { localActor } from '../../src/contract/actor.ts'
import { tokenOfKey } from '../../src/mcp/hold.ts'
import { createApp } from '../../src/server/app.ts'
import { base, engines, type Ledger, openLedger, testLedger } from '../support/engines.ts'
import { agentByHttp } from './connect.ts'

const json = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
const listTools = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })
const post = ({ fetch }: Ledger, body: string, headers: Record<string, string> = {}) =>
  fetch('/mcp', { method: 'POST', headers: { ...json, ...headers }, body })

testLedger(
  'a request without a key, or with another method, gets the response that the protocol defines',
  async ({ app, fetch }) => {
    for (const authorization of [undefined, 'Bearer nonsense', 'Basic eA==']) {
      const headers = { ...json, ...(authorization && { authorization }) }
      const response = await app.fetch(new Request(`${base}/mcp`, { method: 'POST', headers, body: listTools }))
      assert.deepEqual([response.status, response.headers.get('www-authenticate')], [401, 'Bearer'])
    }
    for (const method of ['GET', 'DELETE', 'PUT']) {
      const response = await fetch('/mcp', { method })
      assert.deepEqual([response.status, response.headers.get('allow')], [405, 'POST'], method)
    }
  },
)

testLedger('a run belongs to the person of the key, and search finds it as mine', async (ledger, t) => {
  const { client } = ledger
  const person = 'Ada Example <ada@example.com>'
  const { secret: adas } = await client.createKey({ name: 'ada', permissions: ['write'], person })
  const { secret: nobodys } = await client.createKey({ name: 'service', permissions: ['write'] })
  const start = async (secret: string, title: string) => {
    const agent = await agentByHttp(t, base, secret, '2026-07-28', ledger.app.fetch)
    await agent.call('start_run', { title })
    return agent
  }
  await start(nobodys, 'Nightly')
  const agent = await start(adas, 'Add a greeting')
  const { data } = await agent.call('search_ledger', { type: 'run', mine: true })
  assert.deepEqual(
    (data.runs as { runId: string }[]).map(({ runId }) => runId),
    ['RUN-002'],
  )
  const { runs } = await client.listRuns({ order: 'asc' })
  assert.deepEqual(
    runs.map(({ author }) => author),
    [null, person],
  )
  await client.createSpec({ specId: 'S-1', title: 'A greeting' })
  for (const query of [undefined, 'greeting']) {
    const found = await agent.call('search_ledger', { type: 'spec', query, mine: false })
    assert.match(found.text, /S-1/, 'false filters nothing')
  }
})

testLedger('a batch is refused, and none of its messages is carried out', async (ledger) => {
  const call = { method: 'tools/call', params: { name: 'start_run', arguments: { title: 'One of many' } } }
  const batch = [1, 2].map((id) => ({ jsonrpc: '2.0', id, ...call }))
  const response = await post(ledger, JSON.stringify(batch))
  assert.deepEqual([response.status, ((await response.json()) as { code: string }).code], [400, 'BAD_REQUEST'])
  assert.deepEqual((await ledger.client.listRuns({})).runs, [])
})

testLedger('a request without a key is refused, even by an app that needs none for other calls', async ({ store }) => {
  const app = createApp({ store, actor: localActor })
  const response = await app.fetch(new Request(`${base}/mcp`, { method: 'POST', headers: json, body: listTools }))
  assert.equal(response.status, 401)
})

testLedger(
  'a page can call only from a listed origin',
  async (ledger) => {
    assert.equal((await post(ledger, listTools)).status, 200)
    assert.equal((await post(ledger, listTools, { origin: 'https://app.example' })).status, 200)
    for (const origin of ['https://evil.example', 'http://localhost:3000', 'null']) {
      const refused = await post(ledger, listTools, { origin })
      assert.deepEqual([refused.status, ((await refused.json()) as { code: string }).code], [403, 'FORBIDDEN'], origin)
    }
  },
  { corsOrigins: ['https://app.example'] },
)

testLedger("a page on the server's own host may call, and needs a key", async ({ app, adminKey }) => {
  const statusOf = async (host: string, origin: string, more = {}) => {
    const headers = { ...json, origin, ...more }
    const request = new Request(`${host}/conduct/mcp`, { method: 'POST', headers, body: listTools })
    return (await app.fetch(request)).status
  }
  const bearer = { authorization: `Bearer ${adminKey}` }
  assert.equal(await statusOf('http://localhost:3000', 'http://localhost:3000', bearer), 200)
  assert.equal(await statusOf('http://localhost:3000', 'http://localhost:4000', bearer), 403)
  assert.equal(await statusOf('http://localhost:3000', 'http://localhost.evil.example:3000', bearer), 403)
  // DNS rebinding lets a page call under its own name.
  assert.equal(await statusOf('http://evil.example:3000', 'http://evil.example:3000', bearer), 403)
  const login = await app.fetch(
    new Request('http://localhost:3000/conduct/v1/auth/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ key: adminKey }),
    }),
  )
  const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? ''
  const { token } = (await login.json()) as { token: string }
  const bySession = { cookie, 'x-session-token': token, 'sec-fetch-site': 'same-origin' }
  assert.equal(await statusOf('http://localhost:3000', 'http://localhost:3000', bySession), 401)
})

testLedger(
  'a body that is too large, of another type or not JSON-RPC is refused',
  async (ledger) => {
    const large = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list', params: { x: 'x'.repeat(9000) } })
    assert.equal((await post(ledger, large)).status, 413)
    assert.equal((await post(ledger, listTools, { 'content-type': 'text/plain' })).status, 415)
    for (const body of ['{', '[]', '{}', '"x"', '{"jsonrpc":"1.0","id":1,"method":"x"}', 'null', '']) {
      assert.equal((await post(ledger, body)).status, 400, body)
    }
    const unknown = await post(ledger, '{"jsonrpc":"2.0","id":1,"method":"nothing"}')
    assert.match(await unknown.text(), /-32601/)
  },
  { contentLimit: 4096 },
)

testLedger(
  'calls count against the limit of the key',
  async (ledger) => {
    const first = await post(ledger, listTools)
    assert.deepEqual([first.status, first.headers.get('x-ratelimit-remaining')], [200, '2'])
    const call = { name: 'start_run', arguments: { title: 'x' } }
    await post(ledger, JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: call }))
    const spent = await post(ledger, listTools)
    assert.equal(spent.status, 429)
    assert.ok(Number(spent.headers.get('retry-after')) > 0)
  },
  { rateLimit: 3 },
)

for (const engine of engines) {
  test(`requests are counted and logged, each with one request id (${engine.name})`, async (t) => {
    const lines: string[] = []
    const sink = new Writable({
      write(chunk, _, done) {
        lines.push(String(chunk))
        done()
      },
    })
    const ledger = await openLedger(t, engine, { log: pino({ level: 'info' }, sink) })
    const call = { name: 'start_run', arguments: { title: 'x' } }
    const body = JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: call })
    const response = await post(ledger, body, { 'x-request-id': 'mine' })
    assert.deepEqual([response.status, response.headers.get('x-request-id')], [200, 'mine'])
    const logged = lines.map((line) => JSON.parse(line)).map(({ operation, requestId }) => [operation, requestId])
    assert.deepEqual(logged, [
      ['createRun', 'mine'],
      ['mcp', 'mine'],
    ])
    assert.ok(!lines.join('').includes(ledger.adminKey))
    const metrics = await (
      await ledger.app.fetch(
        new Request('http://localhost/metrics', { headers: { authorization: `Bearer ${ledger.adminKey}` } }),
      )
    ).text()
    assert.match(metrics, /operation="mcp",status="200"/)
    // That of a request is the client's, and nothing for an operator to look at.
    lines.length = 0
    assert.equal((await post(ledger, '{"foo":1}')).status, 400)
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).level).filter((level) => level > 30),
      [],
    )
  })
}

testLedger('a key holds a run for two hours, whichever server its calls reach', async (ledger, t) => {
  const { client, store, adminKey } = ledger
  const secret = (await client.createKey({ name: 'agents', permissions: ['agent'] })).secret
  const agentOf = (key: string) => {
    // Each request goes to an app that does not know the run.
    const fetch = (request: Request) => createApp({ store, rateLimit: 0 }).fetch(request)
    return agentByHttp(t, base, key, '2026-07-28', fetch)
  }
  const agent = await agentOf(secret)
  const { runId } = (await agent.call('start_run', { title: 'long work' })).data as { runId: string }
  const left = async () =>
    Date.parse((await client.getRun({ runId })).run.leaseExpiresAt ?? '') - Date.parse(store.now())
  assert.ok(Math.abs((await left()) - 7_200_000) < 5000)
  await assert.rejects(client.appendToRun({ runId, text: 'x' }), { code: 'LEASE_HELD' })
  await client.heartbeat({ runId, leaseToken: tokenOfKey(secret) })
  ledger.advance(3_600_000)
  await agent.call('log_run', { text: 'one', runId })
  ledger.advance(3_600_000)
  await agent.call('record_check', { name: 'tests', result: 'pass', runId })
  assert.ok((await left()) > 7_190_000, 'each call renews')
  ledger.advance(8_000_000)
  await agent.call('log_run', { text: 'back', runId })
  assert.equal((await client.getRun({ runId })).run.status, 'in_progress', 'whoever comes back goes on')

  const other = await agentOf(adminKey)
  assert.match(await other.refused('log_run', { text: 'x', runId }), /does not match that of run 'RUN-001'/)
  await client.updateRun({ runId, status: 'failed' })
  await client.updateRun({ runId, title: 'taken over' })
  assert.match(
    await agent.refused('finish_run', { status: 'completed', summary: 'x', runId }),
    /'first admin' changed last/,
  )

  await client.createRun({ runId: 'FREE', status: 'in_progress' })
  await other.call('log_run', { text: 'x', runId: 'FREE' })
  await other.call('record_check', { name: 'tests', result: 'pass', runId: 'FREE' })
  await other.call('finish_run', { status: 'completed', summary: 'nobody held it', runId: 'FREE' })
})

testLedger('a call without a run lists only open runs that its key can write to', async (ledger, t) => {
  const { client, app } = ledger
  await client.createRun({ runId: 'FREE', status: 'in_progress' })
  await client.createRun({ runId: 'HELD', leaseSeconds: 60 })
  await client.createProject({ slug: 'shop' })
  await ledger.as({ project: 'shop' }).createRun({ runId: 'OTHER', status: 'in_progress' })
  const listed = async (permission: 'agent' | 'write') => {
    const { secret } = await client.createKey({ name: permission, permissions: [permission] })
    const agent = await agentByHttp(t, base, secret, '2026-07-28', (request) => app.fetch(request))
    const before = await agent.refused('log_run', { text: 'x' })
    const { runId } = (await agent.call('start_run', { title: 'own' })).data
    const after = await agent.refused('log_run', { text: 'x' })
    return [before, after].map((words) => /; (.*)\.$/.exec(words)?.[1]?.replace(String(runId), 'own'))
  }
  assert.deepEqual(await listed('agent'), ['none is open: start_run starts one', 'open are own'])
  assert.deepEqual(await listed('write'), ['open are FREE', 'open are own, FREE'])
})

testLedger(
  'a run without a lease can be written after a heartbeat, and one that lost its lease cannot',
  async (ledger, t) => {
    const { client, app, adminKey } = ledger
    const agent = await agentByHttp(t, base, adminKey, '2026-07-28', (request) => app.fetch(request))
    await client.createRun({ runId: 'FREE', status: 'in_progress' })
    await client.heartbeat({ runId: 'FREE' })
    await agent.call('log_run', { text: 'x', runId: 'FREE' })
    await agent.call('finish_run', { status: 'completed', summary: 'done', runId: 'FREE' })

    const { lease } = await client.createRun({ runId: 'HELD', leaseSeconds: 60 })
    assert.match(await agent.refused('log_run', { text: 'x', runId: 'HELD' }), /does not match that of run 'HELD'/)
    await client.updateRun({ runId: 'HELD', leaseSeconds: 0, leaseToken: lease?.token })
    assert.match(await agent.refused('log_run', { text: 'x', runId: 'HELD' }), /does not match that of run 'HELD'/)
    await client.deleteRun({ runId: 'HELD' })
    await client.createRun({ runId: 'HELD', status: 'in_progress' })
    await agent.call('log_run', { text: 'another run of that id', runId: 'HELD' })
  },
)

testLedger('a repeated call happens once', async (ledger, t) => {
  const { client, app, adminKey } = ledger
  const agent = await agentByHttp(t, base, adminKey, '2026-07-28', (request) => app.fetch(request))
  for (const meta of [{ idempotencyKey: 'k-1' }, { 'claudecode/toolUseId': 'toolu_1' }]) {
    const first = await agent.call('start_run', { title: 'x' }, meta)
    const { runId } = first.data as { runId: string }
    assert.deepEqual(await agent.call('start_run', { title: 'x' }, meta), first)
    for (let tries = 0; tries < 2; tries++) {
      await agent.call('log_run', { text: 'line', runId }, meta)
      await agent.call('record_check', { name: 'tests', result: 'pass', runId }, meta)
      await agent.call('finish_run', { status: 'completed', summary: 'done', runId })
    }
    const { run } = await client.getRun({ runId })
    assert.equal(run.content, 'line\n\n## Summary\n\ndone\n')
    assert.equal((await client.listChecks({ runId })).checks.length, 1)
  }
  const before = (await client.listRuns()).runs.length
  const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } }
  const opened = await post(ledger, JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params: initialize }))
  const session = opened.headers.get('mcp-session-id') ?? ''
  assert.match(session, /^[0-9a-f-]{36}$/)
  const call = (id: number, headers: Record<string, string>) =>
    post(
      ledger,
      JSON.stringify({
        jsonrpc: '2.0',
        id,
        method: 'tools/call',
        params: { name: 'start_run', arguments: { title: 'x' } },
      }),
      headers,
    )
  for (const header of ['mcp-session-id', 'idempotency-key']) {
    await call(1, { [header]: `${header}-${session}` })
    await call(1, { [header]: `${header}-${session}` })
    await call(2, { [header]: `${header}-${session}` })
  }
  // A session has many calls, and an Idempotency-Key names one, whatever the id of the request that repeats it.
  assert.equal((await client.listRuns()).runs.length, before + 3)
})

testLedger('a key acts in its project, and a server key in the project that it names', async (ledger, t) => {
  const { app, client, adminKey } = ledger
  await client.createProject({ slug: 'shop' })
  const { secret } = await client.createKey({ name: 'shop', permissions: ['write'], project: 'shop' })
  const fetch = (request: Request) => app.fetch(request)
  await (await agentByHttp(t, base, secret, '2026-07-28', fetch)).call('start_run', { title: 'x' })
  const named = (request: Request) => {
    request.headers.set('x-project-id', 'shop')
    return app.fetch(request)
  }
  await (await agentByHttp(t, base, adminKey, '2026-07-28', named)).call('start_run', { title: 'y' })
  assert.equal((await client.listRuns({ project: ['shop'] })).runs.length, 2)
  const stranger = (await client.createKey({ name: 'other', permissions: ['write'], project: 'default' })).secret
  const headers = { authorization: `Bearer ${stranger}`, 'x-project-id': 'shop' }
  assert.equal((await post(ledger, listTools, headers)).status, 404)
})
