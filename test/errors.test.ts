import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { pino } from 'pino'
import { localActor } from '../src/contract/actor.ts'
import { type Code, ConductError, statusOf } from '../src/contract/error.ts'
import { stopping } from '../src/engine/transaction.ts'
import { statuses } from '../src/nouns/run/state.ts'
import { createApp } from '../src/server/app.ts'
import { base, testLedger } from './support/engines.ts'

interface Refusal {
  error: string
  code: Code
  requestId: string
  issues?: { path: string; message: string }[]
}

/** Returns the error of a response, and asserts that its status matches its code. */
async function refusal(response: Response, code: Code): Promise<Refusal> {
  const told = (await response.json()) as Refusal
  assert.equal(told.code, code, JSON.stringify(told))
  assert.equal(response.status, statusOf[code])
  assert.equal(response.headers.get('x-request-id'), told.requestId)
  assert.equal(response.headers.get('content-type'), 'application/json')
  assert.equal(told.issues !== undefined, code === 'VALIDATION_ERROR')
  return told
}

const json = { 'content-type': 'application/json' }
const post = (body: unknown, headers: Record<string, string> = {}) => ({
  method: 'POST',
  headers: { ...json, ...headers },
  body: JSON.stringify(body),
})
const patch = (body: unknown, headers: Record<string, string> = {}) => ({ ...post(body, headers), method: 'PATCH' })

testLedger('400: broken JSON, and a cursor that no list returned', async ({ fetch }) => {
  for (const body of ['{', '{"runId": }', "{'runId': 'x'}", Uint8Array.of(0x7b, 0xff, 0x7d)]) {
    await refusal(await fetch('/v1/runs', { method: 'POST', headers: json, body }), 'BAD_REQUEST')
  }
  for (const cursor of ['', 'nonsense', 'ZGVzYw', '%00', btoa('desc 2026-01-31T09:30:00.000Z 1').slice(0, -1)]) {
    const { error } = await refusal(await fetch(`/v1/runs?cursor=${cursor}`), 'BAD_REQUEST')
    assert.match(error, /cursor/)
  }
})

testLedger('401: no key, or one that is malformed or unknown', async ({ fetch }) => {
  for (const authorization of ['', 'Bearer', 'Bearer sk_admin_x', `Bearer sk_admin_${'x'.repeat(43)}`, 'Basic eDp5']) {
    const response = await fetch('/v1/runs', { headers: { authorization } })
    assert.equal(response.headers.get('www-authenticate'), 'Bearer')
    await refusal(response, 'UNAUTHORIZED')
  }
})

testLedger('403: the key does not have the permission', async ({ client, as }) => {
  const { secret } = await client.createKey({ name: 'reader', permissions: ['read'] })
  await assert.rejects(as({ key: secret }).createRun({}), {
    code: 'FORBIDDEN',
    status: 403,
    message: /'agent'.*has: read/,
  })
})

testLedger('404: an unknown id, and an unknown address', async ({ fetch }) => {
  const { error } = await refusal(await fetch('/v1/runs/RUN-404'), 'NOT_FOUND')
  assert.match(error, /RUN-404/)
  for (const path of ['/v1/nothing', '/v1', '/nothing', '/v1/runs/a/b', '/v1/runs//features']) {
    await refusal(await fetch(path), 'NOT_FOUND')
  }
})

testLedger('405: the address does not have this method', async ({ fetch }) => {
  for (const [method, path, allow] of [
    ['PUT', '/v1/runs', 'POST, GET, HEAD'],
    ['DELETE', '/v1/runs', 'POST, GET, HEAD'],
    ['POST', '/v1/runs/RUN-001', 'GET, HEAD, PATCH, DELETE'],
    ['GET', '/v1/runs/RUN-001/features', 'POST'],
    ['PUT', '/v1/runs/RUN-001/content', 'POST, GET, HEAD'],
    ['GET', '/v1/runs/RUN-001/heartbeat', 'POST'],
    ['DELETE', '/v1/specs/SPEC-001/versions', 'GET, HEAD'],
    ['POST', '/v1/checks/CHECK-001', 'GET, HEAD, PATCH, DELETE'],
    ['POST', '/v1/search', 'GET, HEAD'],
  ] as const) {
    const response = await fetch(path, { method })
    assert.equal(response.headers.get('allow'), allow, path)
    await refusal(response, 'METHOD_NOT_ALLOWED')
  }
})

testLedger('409: an id or name that already exists', async ({ client, fetch }) => {
  await client.createRun({ runId: 'RUN-001' })
  const { error } = await refusal(await fetch('/v1/runs', post({ runId: 'RUN-001' })), 'CONFLICT')
  assert.match(error, /'RUN-001'.*PATCH it, or leave out runId/)
  await refusal(await fetch('/v1/projects', post({ slug: 'default' })), 'CONFLICT')
  await refusal(await fetch('/v1/auth/keys/1', { method: 'DELETE' }), 'CONFLICT')
  for (const [path, body] of [
    ['/v1/specs', { specId: 'PLAN' }],
    ['/v1/checks', { checkId: 'SEEN', runId: 'RUN-001', result: 'pass' }],
  ] as const) {
    assert.equal((await fetch(path, post(body))).status, 201)
    await refusal(await fetch(path, post(body)), 'CONFLICT')
  }
  const { error: size } = await refusal(
    await fetch('/v1/runs/RUN-001/content', post({ text: 'x', offset: 7 })),
    'CONFLICT',
  )
  assert.match(size, /has 0 bytes/)
})

testLedger('409: a lease that another caller holds, and a lost lease', async ({ client, fetch }) => {
  await client.createRun({ runId: 'RUN-001', leaseSeconds: 60 })
  const writes: [path: string, init: { method: string; body?: string; headers: Record<string, string> }][] = [
    ['/v1/runs/RUN-001', patch({ title: 'x' })],
    ['/v1/runs/RUN-001', { method: 'DELETE', headers: {} }],
    ['/v1/runs/RUN-001/content', post({ text: 'x' })],
    ['/v1/runs/RUN-001/heartbeat', post({})],
  ]
  for (const [path, init] of writes) {
    const { error } = await refusal(await fetch(path, init), 'LEASE_HELD')
    assert.match(error, /'RUN-001' is leased until 2\S+: send its Lease-Token/)
    const lost = { ...init, headers: { ...init.headers, 'lease-token': 'of-old' } }
    await refusal(await fetch(path, lost), 'LEASE_LOST')
  }
})

testLedger('412: If-Match names another version', async ({ client, fetch }) => {
  const { run } = await client.createRun({ runId: 'RUN-001' })
  const stale = { 'if-match': `"${run.id}-2"` }
  const { error } = await refusal(await fetch('/v1/runs/RUN-001', patch({ title: 'x' }, stale)), 'PRECONDITION_FAILED')
  assert.match(error, new RegExp(`"${run.id}-2".*"${run.id}-1"`))
  await refusal(await fetch('/v1/runs/RUN-001', { method: 'DELETE', headers: stale }), 'PRECONDITION_FAILED')
})

testLedger('a version is named by its number or its ETag', async ({ client, fetch }) => {
  const { run } = await client.createRun({ runId: 'RUN-001' })
  const update = (ifVersion: string | number) =>
    client.updateRun({ runId: 'RUN-001', title: `${ifVersion}`, ifVersion })
  assert.equal((await update(run.version)).run.version, 2)
  assert.equal((await update(`"${run.id}-2"`)).run.version, 3)
  assert.equal((await update('"9-9", 3')).run.version, 4)
  for (const outdated of [3, '3', `${run.id}-4`, '"4"', '04']) {
    await assert.rejects(update(outdated), {
      code: 'PRECONDITION_FAILED',
      message: `If-Match names ${outdated}, but the current version is 4 ("${run.id}-4"): read it again before you change it.`,
    })
  }
  const { status } = await fetch('/v1/runs/RUN-001', patch({ title: 'x' }, { 'if-match': '4' }))
  assert.equal(status, 200)
})

testLedger('a webhook is deleted only in the version that If-Match names', async ({ client, fetch }) => {
  const { webhook } = await client.createWebhook({ url: 'https://example.com/' })
  await client.updateWebhook({ id: webhook.id, enabled: false })
  const remove = (version: number) =>
    fetch(`/v1/webhooks/${webhook.id}`, { method: 'DELETE', headers: { 'if-match': `"${webhook.id}-${version}"` } })
  await refusal(await remove(1), 'PRECONDITION_FAILED')
  assert.equal((await client.getWebhook({ id: webhook.id })).webhook.version, 2)
  assert.equal((await remove(2)).status, 200)
})

testLedger('a write that no version guards refuses If-Match', async ({ client, fetch }) => {
  await client.createRun({ runId: 'A' })
  const { key } = await client.createKey({ name: 'x', permissions: ['read'] })
  await client.linkFeatures({ runId: 'A', featureIds: [1] })
  const ifMatch = { 'if-match': '"1-1"' }
  for (const path of [`/v1/auth/keys/${key.id}`, '/v1/runs/A/features/1', '/v1/auth/session']) {
    const { error } = await refusal(await fetch(path, { method: 'DELETE', headers: ifMatch }), 'BAD_REQUEST')
    assert.match(error, /DELETE .* takes no If-Match/)
  }
  await refusal(await fetch('/v1/runs/A/content', post({ text: 'x' }, ifMatch)), 'BAD_REQUEST')
  assert.equal((await fetch('/v1/runs/A', { headers: ifMatch })).status, 200, 'a read changes nothing')
  assert.deepEqual((await client.getRun({ runId: 'A' })).run.features, [{ id: 1, name: 'feature-1' }])
})

testLedger('If-Match accepts the weak tags of a proxy that compresses', async ({ client, fetch }) => {
  const { run } = await client.createRun({ runId: 'RUN-001' })
  const patched = (tag: string, title: string) => fetch('/v1/runs/RUN-001', patch({ title }, { 'if-match': tag }))
  assert.equal((await patched(`W/"${run.id}-1"`, 'a')).status, 200)
  assert.equal((await patched(`"9-9", W/"${run.id}-2"`, 'b')).status, 200)
  for (const tag of [`W/"${run.id}-2"`, `W/"W/${run.id}-3"`, `w/"${run.id}-3"`]) {
    await refusal(await patched(tag, 'c'), 'PRECONDITION_FAILED')
  }
})

testLedger('413: a body over the limit', async ({ fetch }) => {
  const content = 'x'.repeat(1_048_577)
  await refusal(await fetch('/v1/runs', post({ content: content.repeat(2) })), 'PAYLOAD_TOO_LARGE')
  const { issues } = await refusal(await fetch('/v1/runs', post({ content })), 'VALIDATION_ERROR')
  assert.deepEqual(
    issues?.map(({ path }) => path),
    ['content'],
  )
  assert.equal((await fetch('/v1/runs', post({ content: content.slice(1) }))).status, 201)
})

testLedger('415: a body whose type is not JSON, or that is compressed', async ({ fetch }) => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', '']) {
    const { error } = await refusal(
      await fetch('/v1/runs', { ...post({}), headers: { 'content-type': type } }),
      'UNSUPPORTED_MEDIA_TYPE',
    )
    assert.match(error, /application\/json/)
  }
  for (const type of ['application/json; charset=utf-8', 'Application/JSON']) {
    assert.equal((await fetch('/v1/runs', { ...post({}), headers: { 'content-type': type } })).status, 201)
  }
  const compressed = { method: 'POST', headers: { ...json, 'content-encoding': 'gzip' }, body: gzipSync('{}') }
  const { error } = await refusal(await fetch('/v1/runs', compressed), 'UNSUPPORTED_MEDIA_TYPE')
  assert.match(error, /'gzip'.*without Content-Encoding/)
  assert.equal((await fetch('/v1/runs', post({}, { 'content-encoding': 'identity' }))).status, 201)
})

const paths = ({ issues }: Refusal) => issues?.map(({ path }) => path).sort()

testLedger('422: the error lists every wrong field, and what would be right', async ({ fetch, client }) => {
  await client.createRun({ runId: 'RUN-001' })
  const wrong = await refusal(await fetch('/v1/runs', post({ status: 'done' })), 'VALIDATION_ERROR')
  for (const status of statuses) assert.match(wrong.error, new RegExp(`\\b${status}\\b`))
  assert.match(wrong.error, /'done'/)
  const unknown = await refusal(await fetch('/v1/runs', post({ nope: 1, ID: 2 })), 'VALIDATION_ERROR')
  assert.deepEqual(paths(unknown), ['ID', 'nope'])
  const deep = await fetch('/v1/runs', post({ git: { nope: 1 }, usage: { costUsd: -1 } }))
  assert.deepEqual(paths(await refusal(deep, 'VALIDATION_ERROR')), ['git.nope', 'usage.costUsd'])
  const query = await refusal(await fetch('/v1/runs?state=failed&limit=1&limit=2'), 'VALIDATION_ERROR')
  assert.match(query.error, /state: unknown query parameter/)
  assert.deepEqual(paths(query), ['limit', 'state'])
  const marked = await refusal(await fetch('/v1/runs??limit=1'), 'VALIDATION_ERROR')
  assert.deepEqual(paths(marked), ['?limit'])
  for (const body of [[], null, 'text', 1]) await refusal(await fetch('/v1/runs', post(body)), 'VALIDATION_ERROR')
  await refusal(await fetch('/v1/runs/RUN-001', patch({})), 'VALIDATION_ERROR')
  await refusal(await fetch('/v1/runs/RUN-001', patch({ runId: 'RUN-002', title: 'x' })), 'VALIDATION_ERROR')
  await refusal(await fetch('/v1/runs?project=default', post({})), 'VALIDATION_ERROR')
})

testLedger('422: an unknown field does not hide a wrong value', async ({ fetch }) => {
  const body = await fetch('/v1/runs', post({ status: 'done', nope: 1 }))
  assert.deepEqual(paths(await refusal(body, 'VALIDATION_ERROR')), ['nope', 'status'])
  const query = await fetch('/v1/runs?status=done&nope=1')
  assert.deepEqual(paths(await refusal(query, 'VALIDATION_ERROR'))?.length, 2)
})

testLedger('422: the error stays short, and lists the known fields once', async ({ fetch, client }) => {
  await client.createRun({ runId: 'RUN-001' })
  const long = 'x'.repeat(50_000)
  const strange = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`x${n}`, n]))
  const bodies: [path: string, body: object][] = [
    ['/v1/auth/session', strange(60)],
    ['/v1/runs', strange(20_000)],
    ['/v1/runs', Object.fromEntries(Array.from({ length: 160_000 }, (_, n) => [n.toString(36), 0]))],
    ['/v1/runs', { git: strange(20_000) }],
    ['/v1/runs', { labels: Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [` ${n}`, 'x'])) }],
    ['/v1/runs', { links: Array.from({ length: 32 }, () => ({ rel: 1, href: 2, more: 3 })) }],
    ['/v1/runs', { [long]: 1, status: long, runId: long, git: { [long]: 1 }, labels: { [long]: 'x' } }],
    ['/v1/runs/RUN-001/features', { featureIds: Array.from({ length: 100 }, () => 'x') }],
    ['/v1/runs/RUN-001/features', { featureIds: Array.from({ length: 200_000 }, () => 'x') }],
    ['/v1/runs/RUN-001/features', { features: Array.from({ length: 100 }, () => ({ ...strange(100), name: '' })) }],
  ]
  for (const [path, body] of bodies) {
    const response = await fetch(path, post(body))
    const told = await refusal(response, 'VALIDATION_ERROR')
    assert.ok((told.issues?.length ?? 0) <= 21, `${told.issues?.length} issues`)
    assert.ok(JSON.stringify(told).length < 10_000, `${JSON.stringify(told).length} characters`)
    const lists = told.error.match(/the known ones are [^;]*/g) ?? []
    assert.equal(new Set(lists).size, lists.length, told.error)
  }
  const many = await refusal(await fetch('/v1/runs', post(strange(5000))), 'VALIDATION_ERROR')
  assert.match(
    many.error,
    /x0: unknown field; the known ones are runId, [^;]*; x1: unknown field; .*; and 4,980 more\.$/,
  )
  const long16 = long.slice(0, 16_000)
  const queries = [[...Array(2000).keys()].map((n) => `x${n}=`).join('&'), `${long16}=1`, `limit=${long16}`]
  for (const query of queries) {
    const told = await refusal(await fetch(`/v1/runs?${query}`), 'VALIDATION_ERROR')
    assert.ok(JSON.stringify(told).length < 10_000, told.error)
    await refusal(await fetch(`/v1/runs?${query}`, post({})), 'VALIDATION_ERROR')
  }
  await refusal(await fetch(`/v1/runs?limit=${long}`), 'BAD_REQUEST')
  const type = { 'content-type': `text/${long}` }
  assert.ok((await refusal(await fetch('/v1/runs', post({}, type)), 'UNSUPPORTED_MEDIA_TYPE')).error.length < 1000)
})

testLedger('422: deeply nested values, and lists that are too long', async ({ fetch, client }) => {
  await client.createRun({ runId: 'RUN-001' })
  const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
  for (const field of ['runId', 'title', 'labels', 'nope']) {
    const body = `{"${field}":${deep}}`
    await refusal(await fetch('/v1/runs/RUN-001', { method: 'PATCH', headers: json, body }), 'VALIDATION_ERROR')
  }
  const ids = Array.from({ length: 101 }, (_, n) => n + 1)
  const { issues } = await refusal(
    await fetch('/v1/runs/RUN-001/features', post({ featureIds: ids })),
    'VALIDATION_ERROR',
  )
  assert.deepEqual(issues, [{ path: 'featureIds', message: 'must have at most 100 items, not 101' }])
})

testLedger('413: a login has at most 1 kB', async ({ app }) => {
  for (const method of ['POST', 'DELETE']) {
    const body = JSON.stringify({ key: 'x'.repeat(1024) })
    const login = new Request(`${base}/v1/auth/session`, { method, headers: json, body })
    await refusal(await app.fetch(login), 'PAYLOAD_TOO_LARGE')
  }
})

testLedger('422: an Idempotency-Key that was used for another request', async ({ fetch }) => {
  const key = { 'idempotency-key': 'once' }
  assert.equal((await fetch('/v1/runs', post({ title: 'a' }, key))).status, 201)
  await refusal(await fetch('/v1/runs', post({ title: 'b' }, key)), 'IDEMPOTENCY_MISMATCH')
})

testLedger(
  '429: a key has used up its requests for the minute',
  async ({ fetch, client, as }) => {
    const { secret } = await client.createKey({ name: 'other', permissions: ['read'] })
    const remaining: (string | null)[] = []
    let response = await fetch('/v1/auth/me')
    for (; response.status === 200; response = await fetch('/v1/auth/me')) {
      assert.equal(response.headers.get('x-ratelimit-limit'), '3')
      remaining.push(response.headers.get('x-ratelimit-remaining'))
    }
    assert.deepEqual(remaining, ['1', '0'])
    assert.ok(Number(response.headers.get('retry-after')) >= 1)
    assert.equal(response.headers.get('x-ratelimit-remaining'), '0')
    const reset = Number(response.headers.get('x-ratelimit-reset')) - Date.now() / 1000
    assert.ok(reset > 0 && reset <= 61, `${reset} s`)
    await refusal(response, 'RATE_LIMIT_EXCEEDED')
    await as({ key: secret }).me({})
  },
  { rateLimit: 3 },
)

testLedger(
  'a request with a slow body counts once',
  async ({ app, client }) => {
    const { secret } = await client.createKey({ name: 'slow', permissions: ['write'] })
    const headers = { ...json, authorization: `Bearer ${secret}` }
    const body = new ReadableStream({
      async start(controller) {
        await sleep(200)
        controller.enqueue(Buffer.from('{}'))
        controller.close()
      },
    })
    const init = { method: 'POST', headers, body, duplex: 'half' }
    const response = await app.fetch(new Request(`${base}/v1/runs`, init))
    assert.deepEqual([response.status, response.headers.get('x-ratelimit-remaining')], [201, '2'])
  },
  { rateLimit: 3 },
)

testLedger('every VALIDATION_ERROR is a sentence', async ({ client }) => {
  const { runId } = (await client.createRun({})).run
  const faults = [
    client.createRun({ title: '' }),
    client.createCheck({ runId, result: 'pass', exitCode: 1 }),
    client.listRuns({ createdAfter: '2026-01-02T00:00:00Z', createdBefore: '2026-01-01T00:00:00Z' }),
  ]
  const wanted = { code: 'VALIDATION_ERROR', message: /^\w+: .*[^.]\.$/ }
  await Promise.all(faults.map((fault) => assert.rejects(fault, wanted)))
})

testLedger('500 and 503: the response reveals nothing of the cause', async ({ store }) => {
  const broken = async (fault: Error, code: Code) => {
    const query = () => Promise.reject(fault)
    const app = createApp({ store: { ...store, db: { ...store.db, query, tx: query } }, actor: localActor })
    const ask = (init?: RequestInit) => app.fetch(new Request(`${base}/v1/runs`, init))
    const responses = await Promise.all([ask(), ask(post({}))])
    return Promise.all(responses.map(async (response) => [response.headers, await refusal(response, code)] as const))
  }
  for (const [, { error }] of await broken(new Error('select secret from keys'), 'INTERNAL_ERROR')) {
    assert.doesNotMatch(error, /select|secret/)
  }
  const gone = new ConductError('UNAVAILABLE', 'Try again.', { retryAfter: 1, cause: new Error('10.0.0.1') })
  for (const [headers] of await broken(gone, 'UNAVAILABLE')) assert.equal(headers.get('retry-after'), '1')
})

testLedger(
  'a planned refusal is a warning in the log, and any other failure an error with its stack',
  async (ledger) => {
    const lines: string[] = []
    const log = pino({}, { write: (line: string) => void lines.push(line) })
    const logged = async (fault: Error) => {
      const query = () => Promise.reject(fault)
      const store = { ...ledger.store, db: { ...ledger.store.db, query, tx: query } }
      const { status } = await createApp({ store, actor: localActor, log }).fetch(new Request(`${base}/v1/runs`))
      const { level, msg, reason, err } = JSON.parse(lines.find((line) => line.includes('"msg"')) ?? '')
      lines.length = 0
      return { status, level, msg, reason, hasStack: err?.stack !== undefined }
    }
    assert.deepEqual(await logged(stopping()), {
      status: 503,
      level: 40,
      msg: 'request refused for now',
      reason: 'The server is stopping.',
      hasStack: false,
    })
    const failed = { level: 50, msg: 'request failed', reason: undefined, hasStack: true }
    assert.deepEqual(await logged(new ConductError('UNAVAILABLE', 'Gone.', { retryAfter: 1 })), {
      status: 503,
      ...failed,
    })
    assert.deepEqual(await logged(new Error('a bug')), { status: 500, ...failed })
  },
)
