import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { secretPattern } from '../src/contract/secret.ts'
import { openStore } from '../src/operations/open.ts'
import { base, testLedger } from './support/engines.ts'

testLedger('a key shows its secret once, and its prefix from then on', async (ledger) => {
  const { client, as } = ledger
  const { key, secret } = await client.createKey({ name: 'ci', permissions: ['read', 'write'] })
  assert.match(secret, secretPattern)
  assert.match(secret, /^sk_write_/)
  assert.equal(key.prefix, secret.slice(0, 'sk_write_'.length + 4))
  assert.deepEqual([key.permissions, key.project, key.lastUsedAt], [['write', 'read'], null, null])
  const mine = await as({ key: secret }).me()
  assert.deepEqual([mine.key?.id, mine.permissions], [key.id, ['write', 'read']])
  const { keys } = await client.listKeys()
  assert.deepEqual(
    keys.map(({ id, name }) => [id, name]),
    [
      [key.id, 'ci'],
      [1, 'first admin'],
    ],
  )
  assert.ok(!JSON.stringify(keys).includes(secret))
})

testLedger('lastUsedAt is right to the minute', async (ledger) => {
  const { client, as } = ledger
  const { key, secret } = await client.createKey({ name: 'ci', permissions: ['read'] })
  const lastUsed = async () => (await client.listKeys()).keys.find(({ id }) => id === key.id)?.lastUsedAt ?? ''
  /** The last use once it is later than that: the server stores it in the background. */
  const usedAfter = async (earlier: string) => {
    for (;;) {
      const at = await lastUsed()
      if (at > earlier) return at
      await sleep(10)
    }
  }
  await as({ key: secret }).me()
  const first = await usedAfter('')
  await as({ key: secret }).me()
  await sleep(50)
  assert.equal(await lastUsed(), first)
  ledger.advance(60_000)
  await as({ key: secret }).me()
  assert.ok(Date.parse(await usedAfter(first)) - Date.parse(first) >= 60_000)
})

testLedger('a key that expires cannot create one that outlives it', async (ledger) => {
  const { client, as } = ledger
  const at = (minutes: number) => new Date(Date.parse(ledger.store.now()) + minutes * 60_000).toISOString()
  const expiresAt = at(60)
  const { secret } = await client.createKey({ name: 'visitor', permissions: ['admin'], expiresAt })
  const visitor = as({ key: secret })
  const make = async (expiresAt?: string | null) =>
    (await visitor.createKey({ name: 'made', permissions: ['admin'], expiresAt })).key.expiresAt
  assert.equal(await make(), expiresAt)
  const sooner = at(30)
  assert.equal(await make(sooner), sooner)
  for (const later of [null, at(61)]) {
    await assert.rejects(make(later), { code: 'VALIDATION_ERROR', message: new RegExp(`at most ${expiresAt}`) })
  }
  assert.equal((await client.createKey({ name: 'lasting', permissions: ['admin'] })).key.expiresAt, null)
})

testLedger('expired and revoked keys are refused', async (ledger) => {
  const { client, as } = ledger
  const expiresAt = new Date(Date.now() + 60_000).toISOString()
  const { secret } = await client.createKey({ name: 'short', permissions: ['read'], expiresAt })
  await as({ key: secret }).me()
  ledger.advance(61_000)
  await assert.rejects(as({ key: secret }).me(), { code: 'UNAUTHORIZED' })
  await assert.rejects(client.createKey({ name: 'past', permissions: ['read'], expiresAt }), {
    message: /must be in the future/,
  })

  const other = await client.createKey({ name: 'other', permissions: ['write'] })
  assert.deepEqual(await client.revokeKey({ id: other.key.id }), { message: 'Key revoked successfully' })
  await assert.rejects(as({ key: other.secret }).me(), { code: 'UNAUTHORIZED', message: /revoked/ })
  const events = async () =>
    (await client.listEvents({ limit: 100 })).events.filter(({ type }) => type === 'key.updated')
  assert.equal((await events()).length, 1)
  await client.revokeKey({ id: other.key.id })
  assert.equal((await events()).length, 1, 'revoking again changes nothing')
})

testLedger('a key that is revoked while a body arrives does nothing', async ({ client, app }) => {
  const { key, secret } = await client.createKey({ name: 'stolen', permissions: ['admin'], project: 'default' })
  const { webhook } = await client.createWebhook({ url: 'http://127.0.0.1:1/', project: 'default' })
  const begin = async (path: string, body: string) => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const writer = writable.getWriter()
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' }
    const init = { method: 'POST', headers, body: readable, duplex: 'half' }
    const response = app.fetch(new Request(base + path, init))
    // Resolves once the server reads the body.
    await writer.write(Buffer.from(body.slice(0, 1)))
    return async () => {
      void writer.write(Buffer.from(body.slice(1)))
      void writer.close()
      return (await response).status
    }
  }
  const begun = await Promise.all([
    begin('/v1/auth/keys', JSON.stringify({ name: 'after', permissions: ['admin'] })),
    begin('/v1/runs', '{"title":"After"}'),
    begin('/v1/forget', '{"dryRun":true}'),
    begin(`/v1/webhooks/${webhook.id}/test`, '{}'),
    begin('/v1/hooks/claude', JSON.stringify({ hook_event_name: 'UserPromptSubmit', session_id: 's1', prompt: 'Hi.' })),
  ])
  await sleep(200)
  await client.revokeKey({ id: key.id })
  assert.deepEqual(await Promise.all(begun.map((end) => end())), Array(5).fill(401))
  assert.equal((await client.listRuns()).runs.length, 0)
})

testLedger('a key is revoked once, also while its project is deleted', async ({ client }) => {
  for (let n = 0; n < 10; n++) {
    await client.createProject({ slug: 'shop' })
    const { key } = await client.createKey({ name: 'worker', permissions: ['write'], project: 'shop' })
    await Promise.all([client.deleteProject({ slug: 'shop', confirm: 'shop' }), client.revokeKey({ id: key.id })])
    const { events } = await client.listEvents({ type: ['key.updated'], subject: String(key.id) })
    assert.equal(events.length, 1)
  }
})

testLedger('the last server admin key that does not expire cannot be revoked', async (ledger) => {
  const { client, as } = ledger
  await client.createKey({
    name: 'expires',
    permissions: ['admin'],
    expiresAt: new Date(Date.now() + 1e9).toISOString(),
  })
  await client.createKey({ name: 'project', permissions: ['admin'], project: 'default' })
  await assert.rejects(client.revokeKey({ id: 1 }), { code: 'CONFLICT', message: /last server admin key/ })
  const second = await client.createKey({ name: 'second', permissions: ['admin'] })
  const both = await Promise.allSettled([
    client.revokeKey({ id: second.key.id }),
    as({ key: second.secret }).revokeKey({ id: 1 }),
  ])
  assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
})

testLedger('a project admin can create, list and revoke only keys of its project', async (ledger) => {
  const { client, as } = ledger
  await client.createProject({ slug: 'shop' })
  const boss = as({ key: (await client.createKey({ name: 'boss', permissions: ['admin'], project: 'shop' })).secret })
  const made = await boss.createKey({ name: 'worker', permissions: ['agent'] })
  assert.equal(made.key.project, 'shop')
  await assert.rejects(boss.createKey({ name: 'x', permissions: ['read'], project: null }), { code: 'FORBIDDEN' })
  await assert.rejects(boss.createKey({ name: 'x', permissions: ['read'], project: 'default' }), { code: 'NOT_FOUND' })
  assert.deepEqual(
    (await boss.listKeys()).keys.map(({ name }) => name),
    ['worker', 'boss'],
  )
  await assert.rejects(boss.revokeKey({ id: 1 }), { code: 'NOT_FOUND' })
  await assert.rejects(boss.createProject({ slug: 'mine' }), { code: 'FORBIDDEN' })
  assert.deepEqual(
    (await boss.listProjects()).projects.map(({ slug }) => slug),
    ['shop'],
  )
  assert.deepEqual((await boss.listEvents()).events, [], 'key events are for server admins')
  await boss.revokeKey({ id: made.key.id })
})

testLedger('X-Project-ID narrows the lists of keys and webhooks of the whole server', async ({ client, as }) => {
  for (const slug of ['shop', 'bank']) {
    await client.createProject({ slug })
    await client.createKey({ name: slug, permissions: ['read'], project: slug })
    await client.createWebhook({ url: `https://${slug}.example/`, project: slug })
  }
  const listed = async (some: typeof client) => [
    (await some.listKeys()).keys.map(({ project }) => project),
    (await some.listWebhooks()).webhooks.map(({ project }) => project),
  ]
  assert.deepEqual(await listed(as({ project: 'shop' })), [['shop'], ['shop']])
  assert.deepEqual(await listed(client), [
    ['bank', 'shop', null],
    ['bank', 'shop'],
  ])
})

testLedger(
  'a key without a project belongs to the project in the header of the request, else to the server',
  async (ledger) => {
    const { client, as } = ledger
    await client.createProject({ slug: 'shop' })
    const of = async (maker: typeof client, project?: string | null) =>
      (await maker.createKey({ name: 'k', permissions: ['read'], project })).key.project
    assert.deepEqual(
      [
        await of(client),
        await of(client, 'shop'),
        await of(as({ project: 'shop' })),
        await of(as({ project: 'shop' }), null),
      ],
      [null, 'shop', 'shop', null],
    )
  },
)

testLedger('an agent key can change only what it created', async (ledger) => {
  const { client, as } = ledger
  const agent = as({ key: (await client.createKey({ name: 'agent', permissions: ['agent'] })).secret })
  await client.createRun({ runId: 'THEIRS' })
  await client.createFeature({ name: 'theirs' })
  await agent.createRun({ runId: 'MINE' })
  await agent.updateRun({ runId: 'MINE', status: 'completed' })
  await agent.linkFeatures({ runId: 'MINE', features: [{ name: 'theirs' }, { name: 'mine' }] })
  await agent.unlinkFeature({ runId: 'MINE', featureId: 1 })
  await agent.createFeature({ name: 'mine', file: 'a.ts' })
  await agent.createFeature({ name: 'theirs' })
  const refused = { code: 'FORBIDDEN' }
  await assert.rejects(agent.createFeature({ name: 'theirs', file: 'b.ts' }), refused)
  await assert.rejects(agent.updateFeature({ id: 1, file: 'b.ts' }), refused)
  await assert.rejects(agent.updateRun({ runId: 'THEIRS', title: 'x' }), refused)
  await assert.rejects(agent.linkFeatures({ runId: 'THEIRS', featureIds: [1] }), refused)
  await assert.rejects(agent.unlinkFeature({ runId: 'THEIRS', featureId: 1 }), refused)
  await assert.rejects(agent.deleteRun({ runId: 'MINE' }), refused)
  await assert.rejects(agent.deleteFeature({ id: 2 }), refused)
  assert.equal((await agent.getRun({ runId: 'THEIRS' })).run.title, null)
})

testLedger(
  'the server creates the first key once, or uses a given one',
  async ({ url, adminKey, store, as }) => {
    assert.equal(store.newSecret, undefined)
    await as({ key: adminKey }).me()
    const again = await openStore(url, { adminKey })
    assert.deepEqual([again.newSecret, again.ignoredAdminKey], [undefined, false])
    await again.close()
    const other = await openStore(url, { adminKey: `sk_admin_${'y'.repeat(43)}` })
    assert.deepEqual([other.newSecret, other.ignoredAdminKey], [undefined, true])
    await other.close()
  },
  { adminKey: `sk_admin_${'x'.repeat(43)}` },
)
