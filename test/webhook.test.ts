import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import sql from 'sql-template-tag'
import type { Client } from '../src/client/client.ts'
import { createDeliverer } from '../src/server/jobs/deliver.ts'
import { createSender } from '../src/server/webhook/send.ts'
import { testLedger } from './support/engines.ts'
import { accept, hang, openReceiver, status, verify, verifyNow } from './support/receiver.ts'

const options = {
  webhooks: { allow: ['127.0.0.1'], timeoutMs: 20_000 },
  warn: (error: Error) => {
    // The test's database file is removed before its ledger is closed, so the last job cannot find it.
    if (!/was deleted or replaced/.test(error.message)) throw error
  },
}

/** Reads a webhook until `reached` is true. */
async function webhookWhen(
  client: Client,
  id: number,
  reached: (webhook: Awaited<ReturnType<Client['getWebhook']>>['webhook']) => boolean,
) {
  for (;;) {
    const { webhook } = await client.getWebhook({ id })
    if (reached(webhook)) return webhook
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const seqs = (events: { seq: number }[]) => events.map(({ seq }) => seq)

testLedger('a webhook shows its secret once, and the log does not contain it', async ({ client, fetch }) => {
  const { webhook, secret } = await client.createWebhook({
    url: 'https://HOOKS.example:443/a?b',
    types: ['run.created'],
  })
  assert.match(secret, /^whsec_[0-9A-Za-z+/]{43}=$/)
  assert.deepEqual(
    [webhook.url, webhook.types, webhook.project, webhook.enabled, webhook.failures, webhook.lastError],
    ['https://hooks.example/a…', ['run.created'], null, true, 0, null],
  )
  const { id } = webhook
  const changed = await client.updateWebhook({ id, types: [], enabled: false })
  assert.deepEqual(
    [changed.webhook.enabled, changed.webhook.disabledReason, changed.webhook.version],
    [false, 'request', 2],
  )
  const { secret: second, webhook: rotated } = await client.rotateWebhookSecret({ id })
  assert.notEqual(second, secret)
  assert.ok(rotated.previousSecretExpiresAt)
  const listed = await client.listWebhooks()
  assert.deepEqual(
    listed.webhooks.map(({ id }) => id),
    [id],
  )
  await client.deleteWebhook({ id })
  await assert.rejects(client.getWebhook({ id }), { code: 'NOT_FOUND' })
  const { events } = await client.listEvents({ type: ['webhook.created', 'webhook.updated', 'webhook.deleted'] })
  assert.deepEqual(
    events.map(({ type, changes }) => [type, Object.keys(changes)]),
    [
      ['webhook.created', ['url', 'format', 'types', 'enabled']],
      ['webhook.updated', ['types', 'enabled', 'disabledReason']],
      ['webhook.updated', ['previousSecretExpiresAt']],
      ['webhook.deleted', ['url', 'format', 'enabled', 'disabledReason']],
    ],
  )
  const text = JSON.stringify([events, listed, changed, rotated]) + (await (await fetch('/v1/events')).text())
  for (const one of [secret, second]) assert.ok(!text.includes(one.slice(6)))
})

testLedger('invalid webhook addresses are refused, and secrets in them are not quoted', async ({ client }) => {
  const wrong = ['', 'ftp://example.com/', 'file:///etc/passwd', '//example.com', 'https://', 'javascript:alert(1)']
  for (const url of [...wrong, 'https://user:hunter2@example.com/', 'https://example.com/#part']) {
    await assert.rejects(client.createWebhook({ url }), (error: Error & { code: string }) => {
      assert.equal(error.code, 'VALIDATION_ERROR', url)
      assert.ok(!error.message.includes('hunter2'))
      return true
    })
  }
  const { webhook } = await client.createWebhook({ url: 'http://0x7f.1/' })
  assert.equal(webhook.url, 'http://127.0.0.1/')
  await assert.rejects(client.createWebhook({ url: 'https://hooks.example/', after: 99 }), { message: /at most/ })
  await assert.rejects(client.updateWebhook({ id: webhook.id, after: 99 }), { message: /at most/ })
})

testLedger(
  'every event of the log arrives once, in order and signed, in batches of at most 100',
  async ({ client }, t) => {
    const receiver = await openReceiver(t)
    for (let n = 0; n < 250; n++) await client.createRun({ title: `before ${n}` })
    const { secret, webhook } = await client.createWebhook({ url: receiver.url, after: 0 })
    await client.createRun({ title: 'after' })
    const { events } = await client.listEvents({ order: 'desc', limit: 1 })
    const last = events[0]?.seq as number
    await receiver.until(() => receiver.events().at(-1)?.seq === last)
    assert.deepEqual(
      seqs(receiver.events()),
      Array.from({ length: last }, (_, n) => n + 1),
    )
    for (const message of receiver.received) {
      assert.ok(message.events.length <= 100)
      assert.deepEqual([message.type, message.headers['content-type']], ['events', 'application/json'])
      verifyNow(secret, message)
      assert.throws(() => verifyNow(`whsec_${'A'.repeat(43)}=`, message))
    }
    const log = await client.listEvents({ after: last - 1 })
    assert.deepEqual(receiver.events().at(-1), log.events[0])
    const done = await webhookWhen(client, webhook.id, ({ after }) => after === last)
    assert.deepEqual([done.lag, done.failures, done.lastError], [0, 0, null])
    assert.ok(done.deliveredAt)
    const { deliveries } = await client.listWebhookDeliveries({ id: webhook.id })
    assert.deepEqual(
      deliveries.map(({ count, lastSeq, statusCode, error }) => [count, lastSeq, statusCode, error]).reverse(),
      receiver.received.map(({ events }) => [events.length, events.at(-1)?.seq, 204, null]),
    )
  },
  options,
)

testLedger(
  'a webhook sends the types that it names, of its project, and no events of keys to a project',
  async ({ client, as }, t) => {
    const [all, shop, some] = [await openReceiver(t), await openReceiver(t), await openReceiver(t)]
    await client.createProject({ slug: 'shop' })
    const boss = as({ key: (await client.createKey({ name: 'boss', permissions: ['admin'], project: 'shop' })).secret })
    const made = await boss.createWebhook({ url: shop.url, after: 0 })
    assert.equal(made.webhook.project, 'shop')
    await client.createWebhook({ url: some.url, types: ['run.deleted', 'run.created', 'run.deleted'] })
    await client.createWebhook({ url: all.url, after: 0 })
    await as({ project: 'shop' }).createRun({ runId: 'IN-SHOP' })
    await client.createRun({ runId: 'OUTSIDE' })
    await client.updateRun({ runId: 'OUTSIDE', title: 'changed' })
    await client.deleteRun({ runId: 'OUTSIDE' })
    const named = (receiver: typeof all) => receiver.events().map(({ type, subject }) => `${type} ${subject}`)
    await all.until(() => named(all).includes('run.deleted OUTSIDE'))
    await some.until(() => named(some).includes('run.deleted OUTSIDE'))
    await shop.until(() => named(shop).length > 0)
    assert.deepEqual(named(some), ['run.created IN-SHOP', 'run.created OUTSIDE', 'run.deleted OUTSIDE'])
    assert.deepEqual(named(shop), ['run.created IN-SHOP'])
    assert.ok(named(all).includes('key.created 1') && named(all).includes('webhook.created 2'))

    await assert.rejects(boss.createWebhook({ url: shop.url, project: null }), { code: 'FORBIDDEN' })
    await assert.rejects(boss.createWebhook({ url: shop.url, project: 'default' }), { code: 'NOT_FOUND' })
    const never = { code: 'VALIDATION_ERROR', message: /^types: must not contain key\.created: only a webhook of the/ }
    const types = ['run.created', 'key.created'] as const
    await assert.rejects(boss.createWebhook({ url: shop.url, types: [...types] }), never)
    await assert.rejects(client.createWebhook({ url: shop.url, types: [...types], project: 'shop' }), never)
    await assert.rejects(client.updateWebhook({ id: made.webhook.id, types: [...types] }), never)
    for (const call of ['getWebhook', 'deleteWebhook', 'testWebhook', 'listWebhookDeliveries'] as const) {
      await assert.rejects(boss[call]({ id: 2 }), { code: 'NOT_FOUND' }, call)
    }
    assert.deepEqual(
      (await boss.listWebhooks()).webhooks.map(({ id }) => id),
      [1],
    )
    assert.deepEqual((await boss.listEvents({ type: ['webhook.created'] })).events, [])
  },
  options,
)

testLedger(
  'a failed delivery is retried on the schedule, with the same id and events, until it is accepted',
  async (ledger, t) => {
    const { client } = ledger
    const receiver = await openReceiver(t, status(500))
    const { webhook, secret } = await client.createWebhook({ url: receiver.url, types: ['run.created'] })
    await client.createRun({ runId: 'A' })
    const waits = [5, 300, 1800, 7200, 18_000]
    for (const [index, seconds] of waits.entries()) {
      const failing = await webhookWhen(client, webhook.id, ({ failures }) => failures === index + 1)
      assert.equal(failing.lastError, 'responded with 500')
      const now = Date.parse(ledger.store.now())
      const wait = (Date.parse(failing.nextAttemptAt ?? '') - now) / 1000
      assert.ok(wait > seconds - 5 && wait <= seconds * 1.1, `${wait} s after failure ${index + 1}`)
      if (index === 0) await client.createRun({ runId: 'B' })
      if (index === waits.length - 1) receiver.respond(accept)
      ledger.advance(wait * 1000)
    }
    await receiver.until((received) => received.length === waits.length + 2)
    const subjects = receiver.received.map(({ events }) => events.map(({ subject }) => subject).join())
    assert.deepEqual(subjects, [...Array(waits.length + 1).fill('A'), 'B'])
    const ids = receiver.received.map(({ headers }) => headers['webhook-id'])
    assert.equal(new Set(ids).size, 2)
    for (const message of receiver.received) verify(secret, message)
    const done = await webhookWhen(client, webhook.id, ({ lag }) => lag === 0)
    assert.deepEqual([done.failures, done.failingSince, done.lastError], [0, null, null])
  },
  options,
)

testLedger(
  'a webhook that fails for five days is disabled, and one that responds with 410 at once',
  async (ledger, t) => {
    const { client } = ledger
    const [broken, gone] = [await openReceiver(t, status(503)), await openReceiver(t, status(410))]
    const first = await client.createWebhook({ url: broken.url, types: ['run.created'] })
    const second = await client.createWebhook({ url: gone.url, types: ['run.created'] })
    await client.createRun({ runId: 'A' })
    const ended = await webhookWhen(client, second.webhook.id, ({ enabled }) => !enabled)
    assert.deepEqual([ended.disabledReason, ended.lastError], ['gone', 'responded with 410'])
    let attempts = 0
    for (let enabled = true; enabled; ) {
      const row = await webhookWhen(client, first.webhook.id, (it) => !it.enabled || it.failures > attempts)
      attempts = row.failures
      enabled = row.enabled
      if (enabled) ledger.advance(Date.parse(row.nextAttemptAt ?? '') - Date.parse(ledger.store.now()))
    }
    const failed = (await client.getWebhook({ id: first.webhook.id })).webhook
    assert.equal(failed.disabledReason, 'failing')
    const days = (Date.parse(ledger.store.now()) - Date.parse(failed.failingSince ?? '')) / 86_400_000
    assert.ok(days >= 5 && days < 6.2, `${days} days`)
    const { events } = await client.listEvents({ type: ['webhook.updated'] })
    assert.deepEqual(
      events.map(({ subject, actor, changes }) => [subject, actor.kind, changes]),
      [
        ['2', 'system', { enabled: [true, false], disabledReason: [null, 'gone'] }],
        ['1', 'system', { enabled: [true, false], disabledReason: [null, 'failing'] }],
      ],
    )
    // Once it is enabled, the webhook continues where it stopped, and its failures are counted from then on.
    broken.respond(accept)
    const { webhook: again } = await client.updateWebhook({ id: first.webhook.id, enabled: true })
    assert.deepEqual([again.failures, again.failingSince], [0, null])
    await webhookWhen(client, first.webhook.id, ({ lag, enabled }) => enabled && lag === 0)
    assert.equal(broken.received.at(-1)?.events[0]?.subject, 'A')
  },
  options,
)

testLedger(
  'a webhook that is set back sends the same events again, and a disabled one sends nothing',
  async ({ client }, t) => {
    const receiver = await openReceiver(t)
    const { webhook } = await client.createWebhook({ url: receiver.url, types: ['run.created'], after: 0 })
    const { id } = webhook
    await client.createRun({ runId: 'A' })
    await receiver.until((received) => received.length === 1)
    await webhookWhen(client, id, ({ lag }) => lag === 0)
    await client.updateWebhook({ id, enabled: false })
    await client.createRun({ runId: 'B' })
    await client.updateWebhook({ id, after: 0, enabled: true })
    await receiver.until((received) => received.flatMap(({ events }) => events).length === 3)
    assert.deepEqual(
      receiver.events().map(({ subject }) => subject),
      ['A', 'A', 'B'],
    )
  },
  options,
)

testLedger(
  'two secrets sign after a rotation, until the first one expires',
  async (ledger, t) => {
    const { client } = ledger
    const receiver = await openReceiver(t)
    const { webhook, secret } = await client.createWebhook({ url: receiver.url })
    const { id } = webhook
    const second = (await client.rotateWebhookSecret({ id, overlapSeconds: 60 })).secret
    await client.testWebhook({ id })
    const last = () => receiver.received.findLast(({ type }) => type === 'test') as (typeof receiver.received)[0]
    verify(secret, last())
    verify(second, last())
    ledger.advance(61_000)
    assert.equal((await client.getWebhook({ id })).webhook.previousSecretExpiresAt, null)
    await client.testWebhook({ id })
    assert.throws(() => verify(secret, last()))
    verify(second, last())
    const third = (await client.rotateWebhookSecret({ id, overlapSeconds: 0 })).secret
    await client.testWebhook({ id })
    assert.throws(() => verify(second, last()))
    verify(third, last())
  },
  options,
)

testLedger(
  'a test delivery reports its result, and a success ends the wait for the next attempt',
  async (ledger, t) => {
    const { client } = ledger
    const receiver = await openReceiver(t, status(302, { location: 'http://127.0.0.1:1/elsewhere' }))
    const { webhook, secret } = await client.createWebhook({ url: receiver.url, types: ['run.created'] })
    const { id } = webhook
    await client.createRun({ runId: 'A' })
    await webhookWhen(client, id, ({ failures }) => failures === 1)
    ledger.advance(60_000)
    await webhookWhen(client, id, ({ failures }) => failures === 2)
    const { delivery } = await client.testWebhook({ id })
    assert.deepEqual(
      [delivery.statusCode, delivery.error, delivery.firstSeq, delivery.count],
      [302, 'responded with 302: redirects are not followed', null, 0],
    )
    receiver.respond(accept)
    const again = await client.testWebhook({ id })
    assert.deepEqual([again.delivery.statusCode, again.delivery.error], [204, null])
    await receiver.until(() => receiver.received.at(-1)?.type === 'events')
    verify(secret, receiver.received.at(-1) as (typeof receiver.received)[0])
  },
  options,
)

testLedger(
  'a test delivery ends when its receiver does not respond in time',
  async ({ client }, t) => {
    const receiver = await openReceiver(t, hang)
    const { webhook } = await client.createWebhook({ url: receiver.url, types: ['run.created'] })
    const { delivery } = await client.testWebhook({ id: webhook.id })
    assert.deepEqual([delivery.statusCode, delivery.error], [null, 'no response within 2 s'])
  },
  { ...options, webhooks: { ...options.webhooks, timeoutMs: 2_000 } },
)

testLedger(
  'a test delivery names the rule that blocks its address',
  async ({ client }) => {
    const { webhook } = await client.createWebhook({ url: 'http://hooks.example:9/' })
    const { delivery } = await client.testWebhook({ id: webhook.id })
    assert.equal(delivery.error, 'hooks.example is not a public address. To allow it, add it to CONDUCT_WEBHOOK_ALLOW.')
  },
  { webhooks: { resolve: async () => [{ address: '127.0.0.1', family: 4 }] } },
)

testLedger(
  'a webhook to an address that it may never reach is refused, with the setting that allows it',
  async ({ client }) => {
    const { webhook } = await client.createWebhook({ url: 'http://10.1.2.3/allowed' })
    const never = [
      '169.254.169.254',
      '127.0.0.1:80',
      '2130706433',
      '10.1.2.4',
      '[::1]',
      '[::ffff:10.1.2.4]',
      'localhost.',
    ]
    for (const url of never.map((host) => `http://${host}/latest/meta-data`)) {
      const refused = {
        code: 'VALIDATION_ERROR',
        message: /^url: cannot be reached: .*add .* to CONDUCT_WEBHOOK_ALLOW/,
      }
      await assert.rejects(client.createWebhook({ url }), refused, url)
      await assert.rejects(client.updateWebhook({ id: webhook.id, url }), refused, url)
    }
    await client.createWebhook({ url: 'https://93.184.215.14/' })
    await client.createWebhook({ url: 'https://internal.example/' })
  },
  { webhooks: { allow: ['10.1.2.3'] } },
)

testLedger('a webhook whose address was erased is enabled only with a new one', async ({ client }) => {
  const { webhook } = await client.createWebhook({ url: 'https://hooks.example.com/birkenwort' })
  const { id } = webhook
  await client.erase({ text: 'birkenwort' })
  const erased = (await client.getWebhook({ id })).webhook
  assert.deepEqual([erased.enabled, erased.disabledReason, erased.version], [false, 'request', webhook.version + 1])
  const { events } = await client.listEvents({ type: ['webhook.updated'] })
  const stopped = { enabled: [true, false], disabledReason: [null, 'request'] }
  assert.deepEqual(
    events.map(({ changes }) => changes),
    [stopped],
  )
  await assert.rejects(client.updateWebhook({ id, enabled: true }), { message: /url: is needed .* erased/ })
  const { enabled } = (await client.updateWebhook({ id, enabled: true, url: 'https://hooks.example.com/new' })).webhook
  assert.equal(enabled, true)
})

testLedger('a project has at most 100 webhooks, and others still create theirs', async ({ client, as }) => {
  const [url, types] = ['https://hooks.example/', ['run.deleted' as const]]
  await client.createProject({ slug: 'shop' })
  for (let n = 0; n < 100; n++) await client.createWebhook({ url, types, project: 'shop' })
  const full = { code: 'CONFLICT', message: /'shop' has 100 webhooks, the maximum: delete one first/ }
  await assert.rejects(as({ project: 'shop' }).createWebhook({ url, types }), full)
  const { webhook } = await client.createWebhook({ url, types, project: 'default' })
  await client.createWebhook({ url, types, project: null })
  await client.deleteWebhook({ id: webhook.id - 1 })
  await client.createWebhook({ url, types, project: 'shop' })
})

testLedger(
  'a project whose receivers hang does not delay the webhooks of others',
  async ({ client, as }, t) => {
    const dead = await openReceiver(t, hang)
    const projects = ['noisy', 'loud', 'shop']
    for (const slug of projects) await client.createProject({ slug })
    const [noisy, loud, shop] = projects.map((project) => as({ project })) as [Client, Client, Client]
    // The first has half of the places, and the second half of the rest. Both at once could share them otherwise.
    for (const [project, count, taken] of [
      [noisy, 80, 32],
      [loud, 40, 32 + 16],
    ] as const) {
      for (let n = 0; n < count; n++) await project.createWebhook({ url: dead.url, types: ['run.created'] })
      await project.createRun({ runId: 'A' })
      await dead.until((received) => received.length >= taken)
    }
    const live = await openReceiver(t)
    await shop.createWebhook({ url: live.url, types: ['run.created'] })
    for (const runId of ['A', 'B']) {
      await shop.createRun({ runId })
      await live.until((received) => received.at(-1)?.events.at(-1)?.subject === runId)
    }
    assert.equal(dead.received.length, 32 + 16)
  },
  { ...options, webhooks: { ...options.webhooks, timeoutMs: 120_000 } },
)

testLedger(
  'receivers that hang do not delay others',
  async ({ client }, t) => {
    const [dead, live] = [await openReceiver(t, hang), await openReceiver(t)]
    for (let n = 0; n < 5; n++) await client.createWebhook({ url: dead.url, types: ['run.created'] })
    await client.createWebhook({ url: live.url, types: ['run.created'] })
    await client.createRun({ runId: 'A' })
    await dead.until((received) => received.length === 5)
    await live.until((received) => received.length === 1)
    await client.createRun({ runId: 'B' })
    await live.until((received) => received.length === 2)
    assert.equal(dead.received.length, 5)
    assert.deepEqual(
      live.events().map(({ subject }) => subject),
      ['A', 'B'],
    )
  },
  options,
)

testLedger(
  'a webhook that a clock far ahead has reserved or postponed goes on',
  async ({ client, store }, t) => {
    const receiver = await openReceiver(t)
    const { id } = (await client.createWebhook({ url: receiver.url, types: ['run.created'] })).webhook
    const ahead = new Date(Date.now() + 30 * 86_400_000).toISOString()
    for (const [index, change] of [
      sql`server = 'other', lease_expires_at = ${ahead}`,
      sql`next_attempt_at = ${ahead}`,
    ].entries()) {
      await store.db.tx((tx) => tx.query(sql`update webhooks set ${change} where id = ${id}`))
      await client.createRun({})
      await receiver.until((received) => received.length === index + 1)
      await webhookWhen(client, id, ({ lag }) => lag === 0)
    }
  },
  options,
)

testLedger(
  'the last 100 deliveries are kept',
  async ({ client }, t) => {
    const receiver = await openReceiver(t)
    const { id } = (await client.createWebhook({ url: receiver.url, types: ['key.deleted'] })).webhook
    for (let n = 0; n < 103; n++) await client.testWebhook({ id })
    const deliveries = await Array.fromAsync(client.all('listWebhookDeliveries', { id, limit: 30 }))
    assert.equal(deliveries.length, 100)
    assert.equal(new Set(deliveries.map(({ messageId }) => messageId)).size, 100)
  },
  options,
)

testLedger(
  'the metrics show how far each enabled webhook is behind',
  async ({ client, app }, t) => {
    const receiver = await openReceiver(t, hang)
    const { id } = (await client.createWebhook({ url: receiver.url, types: ['run.created'] })).webhook
    await client.createRun({})
    await receiver.until((received) => received.length === 1)
    const metrics = async () => {
      const peer = { incoming: { socket: { remoteAddress: '127.0.0.1' } } }
      // A scrape that takes a second may lack what the database has not returned by then, and is repeated.
      const end = performance.now() + 20_000
      for (;;) {
        const asked = performance.now()
        const text = await (await app.fetch(new Request('http://localhost/metrics'), peer as never)).text()
        if (performance.now() - asked < 900 || asked > end) return text
      }
    }
    assert.match(await metrics(), new RegExp(`conduct_follower_lag_events\\{follower="webhook/${id}"\\} 2\\n`))
    await client.updateWebhook({ id, enabled: false })
    assert.doesNotMatch(await metrics(), /webhook\//)
  },
  options,
)

testLedger(
  'a long backlog is sent without staying in memory',
  async ({ client }, t) => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const links = Array.from({ length: 32 }, (_, n) => ({ rel: `part-${n}`, href: `https://x.y/${'z'.repeat(1_900)}` }))
    for (let n = 0; n < 20; n++) await Promise.all(Array.from({ length: 10 }, () => client.createRun({ links })))
    const heap: number[] = []
    let batches = 0
    const receiver = await openReceiver(t, (response, message) => {
      receiver.received.length = 0
      if (++batches % 20 === 10) {
        collect()
        heap.push(process.memoryUsage().heapUsed / 1e6)
      }
      accept(response, message)
    })
    const { webhook } = await client.createWebhook({ url: receiver.url, after: 0 })
    await webhookWhen(client, webhook.id, ({ lag }) => lag === 0)
    const [begin = 0, , end = Number.POSITIVE_INFINITY] = heap
    assert.ok(end - begin < 4, `40 batches of 0.25 MB, and the heap has grown from ${begin} to ${end} MB`)
  },
  options,
)

testLedger(
  'a server that stops as it claims a webhook aborts the delivery',
  async ({ client, store }) => {
    const { webhook } = await client.createWebhook({ url: 'http://127.0.0.1:9/' })
    await client.createRun({})
    // Numbers the events, so that nothing but the claim is left to write.
    await client.listEvents({})
    let stopped: Promise<void> | undefined
    const db: typeof store.db = {
      ...store.db,
      async tx(work) {
        const done = await store.db.tx(work)
        stopped ??= deliverer.stop()
        return done
      },
    }
    const sent: (boolean | undefined)[] = []
    const deliverer = createDeliverer(
      { db, now: store.now },
      {
        async send(_, signal) {
          sent.push(signal?.aborted)
          return { error: 'aborted', durationMs: 0 }
        },
        warn: assert.ifError,
      },
    )
    await deliverer.step()
    while (!stopped) await new Promise((resolve) => setTimeout(resolve, 20))
    await stopped
    assert.deepEqual(sent, [true])
    assert.equal((await client.getWebhook({ id: webhook.id })).webhook.failures, 0)
  },
  { ...options, isStill: true },
)

test('a receiver may ask to wait by seconds or until a date, and an error of TLS is short', async (t) => {
  const receiver = await openReceiver(t)
  const send = createSender({ allow: ['127.0.0.1'] })
  const sent = (url = receiver.url) => send({ url, headers: {}, body: '{"type":"test","data":{}}' })
  const date = 'Fri, 31 Jul 2026 09:30:00 GMT'
  for (const [wait, seconds] of [
    ['120', 120],
    ['Fri, 31 Jul 2026 11:30:00 GMT', 7200],
    [date, undefined],
    ['soon', undefined],
  ] as const) {
    receiver.respond(status(503, { 'retry-after': wait, date }))
    assert.equal((await sent()).retryAfter, seconds, wait)
  }
  const { error } = await sent(receiver.url.replace('http:', 'https:'))
  assert.match(error ?? '', /^no TLS connection: ERR_SSL_[A-Z_]+$/)
})

test('a message that is stopped before it is sent asks for no address', async () => {
  let asked = 0
  const resolve = async () => {
    asked++
    throw new Error('no such host')
  }
  const send = createSender({ resolve })
  const { error } = await send({ url: 'https://example.com/', headers: {}, body: '{}' }, AbortSignal.abort())
  assert.ok(error)
  assert.equal(asked, 0)
})
