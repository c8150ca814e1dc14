import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { ConductError, createClient } from '../src/client/client.ts'

type Answer = [status: number, body: unknown, headers?: Record<string, string>] | Error

/** A client whose server gives these responses in turn, and the requests that the server received. */
function scripted(...answers: Answer[]) {
  const requests: Request[] = []
  const client = createClient({
    url: 'http://localhost/conduct/',
    key: 'sk_read_x',
    project: 'shop',
    fetch: async (request) => {
      requests.push(request)
      const answer = answers[Math.min(requests.length, answers.length) - 1] as Answer
      if (answer instanceof Error) throw answer
      const [status, body, headers] = answer
      return new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers })
    },
  })
  return { client, requests }
}

const busy: Answer = [503, { error: 'busy', code: 'UNAVAILABLE' }, { 'retry-after': '0' }]

test('the fields of an input are sent in the path, the query, the body and headers', async () => {
  const { client, requests } = scripted([200, {}])
  await client.updateRun({ runId: 'a:b', title: 'x', ifVersion: '"1-1"' })
  await client.listRuns({ status: ['failed', 'pending'], limit: 5, cursor: undefined })
  const [patch, list] = requests as [Request, Request]
  assert.equal(patch.url, 'http://localhost/conduct/v1/runs/a%3Ab')
  assert.deepEqual(await patch.json(), { title: 'x' })
  assert.deepEqual(
    ['if-match', 'authorization', 'x-project-id', 'content-type'].map((name) => patch.headers.get(name)),
    ['"1-1"', 'Bearer sk_read_x', 'shop', 'application/json'],
  )
  assert.equal(list.url, 'http://localhost/conduct/v1/runs?status=failed&status=pending&limit=5')
  assert.equal(list.headers.get('idempotency-key'), null)
})

test('a write without fields has no body, as the API describes it', async () => {
  const { client, requests } = scripted([200, {}])
  await client.createLoginCode()
  await client.testWebhook({ id: 1 })
  await client.heartbeat({ runId: 'RUN-1', leaseToken: 'x' })
  for (const request of requests) {
    assert.equal(request.body, null)
    assert.equal(request.headers.get('content-type'), null)
  }
})

test('a path parameter may be any text, and is required', async () => {
  const { client, requests } = scripted([200, {}])
  await client.getRun({ runId: 'a/../b \ud800' })
  assert.equal(requests[0]?.url, 'http://localhost/conduct/v1/runs/a%2F..%2Fb%20%EF%BF%BD')
  await assert.rejects(client.getRun({} as never), { code: 'VALIDATION_ERROR', message: /runId: is required/ })
  await assert.rejects(client.getRun({ runId: null } as never), { message: /runId: is required/ })
})

test('a path parameter cannot turn a request into one for another address', async () => {
  const { client, requests } = scripted([200, {}])
  for (const runId of ['', '.', '..']) {
    const refused = { code: 'VALIDATION_ERROR', message: `runId: must be an id, not '${runId}'.` }
    await assert.rejects(client.unlinkFeature({ runId, featureId: 1 }), refused)
  }
  assert.equal(requests.length, 0)
})

test('options that cannot be sent are an error of the client, which does not quote the key', async () => {
  const url = 'http://localhost/conduct'
  for (const options of [{ url: 'ledger' }, { url, key: 'sk_…' }, { url, key: 'sk_a\nb' }]) {
    const client = createClient({ ...options, fetch: () => Response.json({}) })
    for (const call of [client.me(), client.follow().next(), client.exportLedger().next()]) {
      const refused = await call.catch((error: unknown) => error)
      assert.ok(refused instanceof ConductError && refused.code === 'BAD_REQUEST', String(refused))
      assert.doesNotMatch(refused.message, /sk_/)
    }
  }
})

test('the client retries busy and failed calls, writes with the same Idempotency-Key', async () => {
  const { client, requests } = scripted(
    busy,
    new TypeError('fetch failed'),
    [429, {}, { 'retry-after': '0' }],
    [201, { run: {} }],
  )
  await client.createRun({ title: 'x' })
  assert.equal(requests.length, 4)
  const keys = new Set(requests.map((request) => request.headers.get('idempotency-key')))
  assert.equal(keys.size, 1)
  assert.match([...keys][0] ?? '', /^[0-9a-f]{32}$/)
})

test('an append at an offset needs no Idempotency-Key, because a repeated one has no effect', async () => {
  const { client, requests } = scripted([200, { run: {} }])
  await client.appendToRun({ runId: 'A', text: 'x', offset: 0 })
  await client.appendToRun({ runId: 'A', text: 'x' })
  await client.appendToRun({ runId: 'A', text: 'x', offset: 0 }, { idempotencyKey: 'mine' })
  const keys = requests.map((request) => request.headers.get('idempotency-key'))
  assert.deepEqual([keys[0], typeof keys[1], keys[2]], [null, 'string', 'mine'])
})

test('the client throws an error of the server at once, as the server described it', async () => {
  const issues = [{ path: 'status', message: 'must be one of …' }]
  const { client, requests } = scripted([422, { error: 'wrong', code: 'VALIDATION_ERROR', requestId: 'r1', issues }])
  await assert.rejects(client.getRun({ runId: 'A' }), (error) => {
    assert.ok(error instanceof ConductError)
    assert.deepEqual(
      [error.code, error.status, error.message, error.requestId, error.issues],
      ['VALIDATION_ERROR', 422, 'wrong', 'r1', issues],
    )
    return true
  })
  assert.equal(requests.length, 1)
})

test('the client says when a server is not Conduct, and when it does not respond', async () => {
  await assert.rejects(scripted([404, '<html>']).client.me(), {
    code: 'INTERNAL_ERROR',
    message: /returned 404, but not like a Conduct server/,
  })
  await assert.rejects(scripted([200, '<html>']).client.me(), { code: 'INTERNAL_ERROR' })
  const dead = createClient({ url: 'http://127.0.0.1:1/conduct', attempts: 1 })
  await assert.rejects(dead.me(), { code: 'UNAVAILABLE', message: /No response from http:\/\/127\.0\.0\.1:1\/conduct/ })
})

/** A response whose body ends early: with the error `failure`, or without one. */
const cut = (status: number, failure?: Error) =>
  new Response(
    new ReadableStream({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"run":{"run'))
        if (failure) controller.error(failure)
        else controller.close()
      },
    }),
    { status, headers: { 'content-type': 'application/json' } },
  )

for (const [name, failure] of [
  ['by a lost connection', new TypeError('terminated')],
  ['before its end', undefined],
] as const) {
  test(`the client retries after a response whose body is cut ${name}, writes with the same key`, async () => {
    const answers = [
      cut(201, failure),
      cut(409, failure),
      Response.json({ run: { runId: 'RUN-001' } }, { status: 201 }),
    ]
    const keys = new Set<string | null>()
    const client = createClient({
      url: 'http://localhost/conduct',
      fetch: (request) => {
        keys.add(request.headers.get('idempotency-key'))
        return answers.shift() as Response
      },
    })
    assert.deepEqual(await client.createRun({}), { run: { runId: 'RUN-001' } })
    assert.deepEqual([answers.length, keys.size], [0, 1])
    const only = createClient({ url: 'http://localhost/conduct', attempts: 1, fetch: () => cut(200, failure) })
    await assert.rejects(only.me(), {
      code: 'UNAVAILABLE',
      message: /^The response of http:\/\/localhost\/conduct ended early\b/,
    })
  })
}

test('the client recognises an error from a proxy in front of the server by its status', async () => {
  const cases: [status: number, code: string, message: RegExp][] = [
    [413, 'PAYLOAD_TOO_LARGE', /^A proxy in front of .* rejects requests of this size \(413\)/],
    [502, 'UNAVAILABLE', /^A proxy in front of .* cannot reach the server behind it \(502\)/],
    [503, 'UNAVAILABLE', /^A proxy in front of .* cannot reach the server behind it \(503\)/],
    [504, 'UNAVAILABLE', /^A proxy in front of .* waited too long for the server behind it \(504\)/],
  ]
  for (const [status, code, message] of cases) {
    const fetch = () => new Response('<html>', { status, headers: { 'content-type': 'text/html' } })
    await assert.rejects(createClient({ url: 'http://localhost/conduct', attempts: 1, fetch }).me(), { code, message })
  }
})

test('the client reports a TLS failure as one, and does not retry', async (t) => {
  const untrusted = Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  const { client, requests } = scripted(new TypeError('fetch failed', { cause: untrusted }))
  await assert.rejects(client.me(), {
    code: 'UNAVAILABLE',
    message: /^No secure connection to http:.*: self-signed certificate\..*NODE_EXTRA_CA_CERTS/,
  })
  assert.equal(requests.length, 1)

  const server = createHttpServer((_, response) => response.end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const message = /^No secure connection to https:.*\. Does the server speak TLS there\?/
  await assert.rejects(createClient({ url }).me(), { code: 'UNAVAILABLE', message })
})

test('a retry after a date from a proxy waits as without one', async () => {
  const { client, requests } = scripted([503, {}, { 'retry-after': 'Fri, 31 Jul 2026 09:30:00 GMT' }])
  await assert.rejects(client.me({}, { signal: AbortSignal.timeout(30) }), { name: 'TimeoutError' })
  assert.equal(requests.length, 1)
})

test('the caller learns of each failure after which the client tries again', async () => {
  const failures: [string, number][] = []
  const onRetry = ({ code }: ConductError, failed: number) => failures.push([code, failed])
  await scripted(
    busy,
    [429, { error: 'slower', code: 'RATE_LIMIT_EXCEEDED' }, { 'retry-after': '0' }],
    [200, {}],
  ).client.me({}, { onRetry })
  assert.deepEqual(failures.splice(0), [
    ['UNAVAILABLE', 1],
    ['RATE_LIMIT_EXCEEDED', 2],
  ])
  const stream: Answer = [200, ': hello\n\n']
  const following = scripted(stream, busy, [200, 'id: 1\ndata: {"seq":1}\n\n']).client.follow({}, { onRetry })
  await following.next()
  await following.return()
  assert.deepEqual(failures, [
    ['UNAVAILABLE', 0],
    ['UNAVAILABLE', 1],
  ])
})

test('a signal aborts a call, even while it waits to retry', async () => {
  const { client } = scripted([503, {}, { 'retry-after': '3600' }])
  await assert.rejects(client.me({}, { signal: AbortSignal.abort(new Error('enough')) }), /enough/)
  await assert.rejects(client.me({}, { signal: AbortSignal.timeout(30) }), { name: 'TimeoutError' })
})

test('an erasure may take longer than other calls', async (t) => {
  const limits: number[] = []
  t.mock.method(AbortSignal, 'timeout', (ms: number) => {
    limits.push(ms)
    return new AbortController().signal
  })
  const { client } = scripted([200, {}])
  await client.erase({ text: 'text' })
  await client.me()
  assert.deepEqual(limits, [300_000, 30_000])
})

test('Retry-After may be a date, and a pause may be longer than a timer of Node.js', async () => {
  for (const wait of [new Date(Date.now() + 3_600_000).toUTCString(), '99999999999']) {
    const { client, requests } = scripted([503, {}, { 'retry-after': wait }])
    await assert.rejects(client.me({}, { signal: AbortSignal.timeout(50) }), { name: 'TimeoutError' })
    assert.equal(requests.length, 1, wait)
  }
  for (const wait of [new Date(0).toUTCString(), 'soon']) {
    const { client } = scripted([503, {}, { 'retry-after': wait }], [200, {}])
    await client.me()
  }
})

test('a list is read page by page, only as far as the caller iterates', async () => {
  const { client, requests } = scripted(
    [200, { runs: [{ runId: 'A' }, { runId: 'B' }], meta: { hasMore: true, nextCursor: 'c1' } }],
    [200, { runs: [{ runId: 'C' }], meta: { hasMore: false } }],
  )
  const seen: string[] = []
  for await (const { runId } of client.all('listRuns', { specId: 'S' })) seen.push(runId)
  assert.deepEqual(seen, ['A', 'B', 'C'])
  assert.deepEqual(
    requests.map(({ url }) => new URL(url).search),
    ['?specId=S', '?specId=S&cursor=c1'],
  )

  const lazy = scripted([200, { runs: [{}, {}], meta: { hasMore: true, nextCursor: 'c1' } }])
  for await (const _ of lazy.client.all('listRuns')) break
  assert.equal(lazy.requests.length, 1)
})

/** A server that accepts connections and never responds, while the garbage collector runs constantly. */
async function silentServer(t: TestContext) {
  const sockets: Socket[] = []
  const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const timer = setInterval(collect, 50)
  t.after(() => clearInterval(timer))
  const { port } = server.address() as AddressInfo
  return { server, client: createClient({ url: `http://127.0.0.1:${port}`, attempts: 1, timeout: 500 }) }
}

test('a call to a silent server times out, even if the garbage collector ran meanwhile', {
  timeout: 60_000,
}, async (t) => {
  const { client } = await silentServer(t)
  await assert.rejects(client.me(), { code: 'UNAVAILABLE' })
})

test('the client retries a stream that does not begin', { timeout: 60_000 }, async (t) => {
  const { server, client } = await silentServer(t)
  const stop = new AbortController()
  t.after(() => stop.abort())
  const following = client.follow({}, { signal: stop.signal }).next()
  following.catch(() => {})
  await once(server, 'connection')
  await once(server, 'connection')
})

test('the client does not ask again for an event that it cannot read', async () => {
  const { client, requests } = scripted([200, 'id: 41\ndata: {"seq":41\n\n'])
  await assert.rejects(client.follow({ after: 40 }).next(), { code: 'INTERNAL_ERROR', message: /not JSON/ })
  assert.equal(requests.length, 1)
})
