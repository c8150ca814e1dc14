import assert from 'node:assert/strict'
import { test } from 'node:test'
import { localActor } from '../src/contract/actor.ts'
import { indexMore } from '../src/find/follow.ts'
import { createApp } from '../src/server/app.ts'
import { version } from '../src/version.ts'
import { engines, openLedger, testLedger } from './support/engines.ts'

const json = { 'content-type': 'application/json; charset=utf-8' }

testLedger(
  'responses to a create and to a read have the same ETag, and Location leads to what was created',
  async ({ fetch }) => {
    const made = await fetch('/v1/runs', { method: 'POST', headers: json, body: '{"runId":"a:b"}' })
    const location = made.headers.get('location') ?? ''
    assert.equal(location, '/conduct/v1/runs/a%3Ab')
    const read = await fetch(location.slice('/conduct'.length))
    assert.equal(read.headers.get('etag'), made.headers.get('etag'))
    assert.match(read.headers.get('etag') ?? '', /^"\d+-1"$/)
    assert.deepEqual(
      [made.headers.get('cache-control'), made.headers.get('content-type')],
      ['no-store', 'application/json'],
    )
  },
)

testLedger('Location leads to a turn that was appended', async ({ client, fetch }) => {
  await client.createRun({ runId: 'a:b' })
  for (const n of [1, 2]) {
    const made = await fetch('/v1/runs/a:b/turns', { method: 'POST', headers: json, body: '{"prompt":"Go on."}' })
    const location = made.headers.get('location') ?? ''
    assert.equal(location, `/conduct/v1/runs/a%3Ab/turns/${n}`)
    assert.deepEqual(await (await fetch(location.slice('/conduct'.length))).json(), await made.json())
  }
})

testLedger(
  'Date is the time of the ledger, also if the clock of this machine has another',
  async ({ client, fetch, advance }) => {
    advance(7_200_000)
    const { run } = await client.createRun({})
    const { headers } = await fetch('/v1/runs')
    const sinceMs = Date.parse(headers.get('date') ?? '') - Date.parse(run.createdAt)
    assert.ok(sinceMs > -1000 && sinceMs < 60_000, String(sinceMs))
  },
)

testLedger('HEAD returns the same as GET, without a body', async ({ fetch }) => {
  const head = await fetch('/v1/runs', { method: 'HEAD' })
  assert.deepEqual([head.status, await head.text(), head.headers.get('content-type')], [200, '', 'application/json'])
  assert.equal((await fetch('/v1/runs/none', { method: 'HEAD' })).status, 404)
})

testLedger(
  'the server uses a well-formed request id, replaces any other, and returns it in header and error',
  async ({ fetch }) => {
    const given = await fetch('/v1/runs/none', { headers: { 'x-request-id': 'mine-1' } })
    assert.equal(given.headers.get('x-request-id'), 'mine-1')
    assert.equal(((await given.json()) as { requestId: string }).requestId, 'mine-1')
    for (const id of ['a b', 'x'.repeat(129), `sk_admin_${'x'.repeat(43)}`, `code_${'x'.repeat(43)}`]) {
      const made = (await fetch('/v1/runs', { headers: { 'x-request-id': id } })).headers.get('x-request-id')
      assert.match(made ?? '', /^[0-9a-f-]{36}$/)
    }
  },
)

testLedger('a write whose request id is a secret gets the usual response', async ({ fetch, adminKey }) => {
  const headers = { ...json, 'x-request-id': adminKey }
  const made = await fetch('/v1/runs', { method: 'POST', headers, body: '{"runId":"A"}' })
  assert.equal(made.status, 201)
  assert.equal(((await made.json()) as { run: { runId: string } }).run.runId, 'A')
  assert.match(made.headers.get('x-request-id') ?? '', /^[\x21-\x7e]+$/)
})

testLedger('an empty body is an empty object, and a body needs no charset', async ({ fetch }) => {
  assert.equal((await fetch('/v1/runs', { method: 'POST' })).status, 201)
  assert.equal(
    (await fetch('/v1/runs', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })).status,
    201,
  )
  const streamed = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"title":'))
      controller.enqueue(new TextEncoder().encode('"in pieces"}'))
      controller.close()
    },
  })
  const init = { method: 'POST', headers: json, body: streamed, duplex: 'half' }
  assert.equal((await fetch('/v1/runs', init as RequestInit & { headers: Record<string, string> })).status, 201)
})

testLedger(
  'only listed origins may call from a browser',
  async ({ fetch }) => {
    const preflight = (origin: string) =>
      fetch('/v1/runs', { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } })
    const allowed = await preflight('https://app.example')
    assert.deepEqual([allowed.status, allowed.headers.get('access-control-allow-origin')], [204, 'https://app.example'])
    assert.equal((await preflight('https://evil.example')).headers.get('access-control-allow-origin'), null)
    const read = await fetch('/v1/runs', { headers: { origin: 'https://app.example' } })
    assert.equal(read.headers.get('access-control-allow-origin'), 'https://app.example')
    assert.match(read.headers.get('access-control-expose-headers') ?? '', /ETag.*X-Request-Id.*Mcp-Session-Id/)
  },
  { corsOrigins: ['https://app.example'] },
)

testLedger('without a list, no origin may call from a browser', async ({ fetch }) => {
  const read = await fetch('/v1/runs', { headers: { origin: 'https://app.example' } })
  assert.equal(read.headers.get('access-control-allow-origin'), null)
})

for (const engine of engines) {
  test(`probes, metrics and unknown addresses (${engine.name})`, async (t) => {
    const { store, adminKey } = await openLedger(t, engine)
    const stopping = new AbortController()
    const app = createApp({ store, stopping: stopping.signal })
    const loopback = { incoming: { socket: { remoteAddress: '127.0.0.1' } } }
    const remote = { incoming: { socket: { remoteAddress: '10.0.0.9' } } }
    const get = (path: string, env: object = loopback, headers = {}) =>
      app.fetch(new Request(`http://localhost${path}`, { headers }), env)
    assert.equal((await get('/livez')).status, 200)
    const ready = await get('/readyz')
    const { warnings: _, ...told } = (await ready.json()) as { warnings?: string[] }
    assert.deepEqual([ready.status, told], [200, { status: 'ok', version }])
    const nothing = await get('/v1/runs')
    assert.equal(nothing.status, 404)
    assert.match(
      ((await nothing.json()) as { error: string }).error,
      /nothing at \/v1\/runs; the API is described at \/conduct\/docs/,
    )
    const bearer = { authorization: `Bearer ${adminKey}` }
    await get('/conduct/v1/runs', loopback, bearer)
    const text = await (await get('/metrics')).text()
    assert.match(text, /^conduct_requests_total\{operation="listRuns",status="200"\} 1\n/m)
    assert.match(text, /^conduct_request_duration_seconds_bucket\{operation="listRuns",le="\+Inf"\} 1\n/m)
    assert.equal((await get('/metrics', remote)).status, 401)
    assert.equal((await get('/metrics', remote, bearer)).status, 200)
    stopping.abort()
    const stopped = await get('/readyz')
    assert.deepEqual([stopped.status, stopped.headers.get('retry-after')], [503, '1'])
    assert.equal((await get('/conduct/v1/runs', loopback, bearer)).headers.get('connection'), 'close')
    await store.close()
  })

  test(`the metrics show how far each follower of the log is behind (${engine.name})`, async (t) => {
    const { store, client } = await openLedger(t, engine, { isStill: true })
    const app = createApp({ store })
    const env = { incoming: { socket: { remoteAddress: '127.0.0.1' } } }
    const lag = async () => {
      const text = await (await app.fetch(new Request('http://localhost/metrics'), env)).text()
      assert.match(text, /^process_uptime_seconds \d+$/m)
      return /^conduct_follower_lag_events\{follower="search"\} (\d+)$/m.exec(text)?.[1]
    }
    /** The lag once the database tells it in time. */
    const toldLag = async () => {
      const end = performance.now() + 20_000
      for (;;) {
        const events = await lag()
        if (events !== undefined || performance.now() > end) return events
      }
    }
    for (const runId of ['A', 'B', 'C']) await client.createRun({ runId })
    const { events } = await client.listEvents({})
    assert.equal(await toldLag(), String(events.length))
    while (await indexMore(store.db, 50)) {}
    assert.equal(await toldLag(), '0')
    await store.close()
    assert.equal(await lag(), undefined)
  })

  test(`a server whose database accepts no writes is not ready (${engine.name})`, async (t) => {
    const { store } = await openLedger(t, engine)
    const app = createApp({ store })
    await store.close()
    assert.equal((await app.fetch(new Request('http://localhost/readyz'))).status, 503)
    assert.equal((await app.fetch(new Request('http://localhost/livez'))).status, 200)
  })

  test(`in process, a call without a key acts as the local user (${engine.name})`, async (t) => {
    const { store } = await openLedger(t, engine)
    const app = createApp({ store, actor: localActor, basePath: '' })
    const answer = await app.fetch(new Request('http://localhost/v1/auth/me'))
    assert.deepEqual(await answer.json(), { key: null, permissions: ['admin'], person: null, machine: null })
    await app.fetch(new Request('http://localhost/v1/runs', { method: 'POST', headers: { 'idempotency-key': 'k' } }))
    const events = (await (await app.fetch(new Request('http://localhost/v1/events?after=2'))).json()) as {
      events: { actor: object }[]
    }
    assert.deepEqual(
      events.events.map(({ actor }) => actor),
      [{ kind: 'local' }],
    )
  })
}
