import assert from 'node:assert/strict'
import sql from 'sql-template-tag'
import type { Name } from '../src/contract/paths.ts'
import { operationOf } from './support/described.ts'
import { type Ledger, testLedger } from './support/engines.ts'
import fc from './support/random.ts'

const post = ({ fetch }: Ledger, key: string, body: object, path = '/v1/runs', headers = {}) =>
  fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key, ...headers },
    body: JSON.stringify(body),
  })

testLedger('a repeated request gets the same response, including headers', async (ledger) => {
  const first = await post(ledger, 'k', { content: '# One' })
  const again = await post(ledger, 'k', { content: '# One' })
  assert.deepEqual([first.status, again.status], [201, 201])
  assert.deepEqual([first.headers.get('idempotent-replayed'), again.headers.get('idempotent-replayed')], [null, 'true'])
  for (const header of ['location', 'etag', 'content-type'])
    assert.equal(again.headers.get(header), first.headers.get(header))
  assert.equal(await again.text(), await first.text())
  assert.equal((await ledger.client.listRuns()).runs.length, 1)
})

testLedger('a key belongs to one request: another body, path or method is refused', async (ledger) => {
  await post(ledger, 'k', { runId: 'A' })
  const other = await post(ledger, 'k', { runId: 'B' })
  assert.deepEqual([other.status, ((await other.json()) as { code: string }).code], [422, 'IDEMPOTENCY_MISMATCH'])
  assert.equal((await post(ledger, 'k', { runId: 'A' }, '/v1/runs/A/features')).status, 422)
  const deleted = await ledger.fetch('/v1/runs/A', { method: 'DELETE', headers: { 'idempotency-key': 'k' } })
  assert.equal(deleted.status, 422)
  assert.equal((await ledger.client.listRuns()).runs.length, 1)
})

testLedger('only a success is stored: a failed request leaves its key free', async (ledger) => {
  assert.equal((await post(ledger, 'k', { featureIds: [1] }, '/v1/runs/A/features')).status, 404)
  await ledger.client.createRun({ runId: 'A' })
  assert.equal((await post(ledger, 'k', { featureIds: [1] }, '/v1/runs/A/features')).status, 200)
})

testLedger('a key belongs to its caller and project, and is stored for a day', async (ledger) => {
  const { client, as } = ledger
  await client.createProject({ slug: 'shop' })
  const { secret } = await client.createKey({ name: 'other', permissions: ['write'] })
  const statuses = await Promise.all([
    post(ledger, 'k', { runId: 'A' }),
    post(ledger, 'k', { runId: 'B' }, '/v1/runs', { authorization: `Bearer ${secret}` }),
    post(ledger, 'k', { runId: 'C' }, '/v1/runs', { 'x-project-id': 'shop' }),
  ])
  assert.deepEqual(
    statuses.map(({ status }) => status),
    [201, 201, 201],
  )
  ledger.advance(24 * 3600_000 - 60_000)
  assert.equal((await post(ledger, 'k', { runId: 'A' })).headers.get('idempotent-replayed'), 'true')
  ledger.advance(120_000)
  for (const replayed of [null, 'true']) {
    const { status, headers } = await post(ledger, 'k', { runId: 'D' })
    assert.deepEqual([status, headers.get('idempotent-replayed')], [201, replayed], 'for another day')
  }
  assert.deepEqual(
    (await as({ project: 'shop' }).listRuns()).runs.map(({ runId }) => runId),
    ['C'],
  )
})

testLedger('simultaneous requests with one key create one run', async (ledger) => {
  const answers = await Promise.all(Array.from({ length: 10 }, () => post(ledger, 'k', { content: 'x' })))
  const bodies = new Set(await Promise.all(answers.map((answer) => answer.text())))
  assert.equal(bodies.size, 1)
  assert.equal(answers.filter((answer) => answer.headers.get('idempotent-replayed') === 'true').length, 9)
})

testLedger('a malformed key is refused', async (ledger) => {
  for (const key of ['a b', 'x'.repeat(256)]) assert.equal((await post(ledger, key, {})).status, 422)
})

testLedger('the secret of a new key is not stored: a replay names the key to revoke', async (ledger) => {
  const body = { name: 'ci', permissions: ['write'] }
  const first = await post(ledger, 'k', body, '/v1/auth/keys')
  const { key } = (await first.json()) as { key: { id: number } }
  const again = await post(ledger, 'k', body, '/v1/auth/keys')
  assert.equal(again.status, 409)
  assert.match(((await again.json()) as { error: string }).error, new RegExp(`revoke key ${key.id}`))
  assert.equal((await ledger.client.listKeys()).keys.length, 2)
})

const step = fc.record({ key: fc.integer({ min: 0, max: 3 }), times: fc.integer({ min: 1, max: 3 }) })

testLedger('each request happens once, however often it is retried', async (ledger) => {
  let round = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const specId = `S${++round}`
      const tries = steps.flatMap(({ key, times }) =>
        Array.from({ length: times }, () =>
          ledger.client.createRun({ specId, title: `${key}` }, { idempotencyKey: `${specId}-${key}` }),
        ),
      )
      const runIds = new Set((await Promise.all(tries)).map(({ run }) => run.runId))
      const { runs } = await ledger.client.listRuns({ specId })
      assert.deepEqual(runs.map(({ runId }) => runId).sort(), [...runIds].sort())
      assert.equal(runs.length, new Set(steps.map(({ key }) => key)).size)
    }),
    { numRuns: 20 },
  )
})

testLedger('what does its work anew each time is not described as replayed', async (ledger) => {
  const { webhook } = await ledger.client.createWebhook({ url: 'http://127.0.0.1:9/' })
  const anew: [name: Name, path: string, body: object][] = [
    ['testWebhook', `/v1/webhooks/${webhook.id}/test`, {}],
    ['erase', '/v1/erase', { text: 'abc123def', dryRun: true }],
    ['forget', '/v1/forget', { dryRun: true }],
  ]
  for (const [name, path, body] of anew) {
    await post(ledger, name, body, path)
    const again = await post(ledger, name, body, path)
    assert.deepEqual([again.status, again.headers.get('idempotent-replayed')], [200, null], name)
    const { parameters, responses } = operationOf(name)
    assert.ok(!parameters.some((parameter) => parameter.name === 'Idempotency-Key'), name)
    assert.doesNotMatch(JSON.stringify(responses), /Idempotent-Replayed/, name)
  }
  assert.ok(operationOf('createRun').parameters.some((parameter) => parameter.name === 'Idempotency-Key'))
})

testLedger('a stored response takes a fraction of its size', async (ledger) => {
  const response = await post(ledger, 'k', { runId: 'A', content: '# One' })
  const [row] = await ledger.store.db.query<{ bytes: number }>(
    sql`select octet_length(answer) as bytes from idempotency_keys`,
  )
  const size = (await response.text()).length
  assert.ok(size > 500 && (row?.bytes ?? size) < size / 2, `${row?.bytes} of ${size}`)
})

/** What a version stored for the key `k`. Each later one has to read it for a day. */
const stored =
  '.gFXpkA5RCWuwIIQCF6WkBtoAP2+M4LpWzuztL9ljVsXGXI6ikMnAiLwmeuNmAk03+riEB2zkwB867YIsZPYBmh/PzCTsYbTkYXiS7M6hdYQyhvFkBOYsUQz13J7HqOsGRL0C4rhUl70v4nbqzmZUQwlY+Lo6507zJA=='

testLedger('a response that an earlier server stored is replayed', async (ledger) => {
  const create = () => post(ledger, 'k', { slug: 'shop' }, '/v1/projects')
  await create()
  await ledger.store.db.tx((tx) => tx.query(sql`update idempotency_keys set answer = ${stored}`))
  const response = await create()
  assert.equal(response.headers.get('idempotent-replayed'), 'true')
  const { project } = (await response.json()) as { project: { slug: string; createdAt: string } }
  assert.deepEqual([project.slug, project.createdAt.slice(0, 10)], ['shop', '2026-11-29'])
})
