import assert from 'node:assert/strict'
import sql from 'sql-template-tag'
import type { Client } from '../src/client/client.ts'
import type { Tx } from '../src/engine/db.ts'
import type { Event } from '../src/log/fields.ts'
import { verify } from '../src/verify/verify.ts'
import { type Ledger, testLedger } from './support/engines.ts'
import { accept, openReceiver } from './support/receiver.ts'

/**
 * Replaces the events from `seq` on with another history, as after a failover or a restore that lost them and later
 * writes that took their seqs.
 */
const replace = ({ store }: Pick<Ledger, 'store'>, seq: number) => store.db.tx((tx) => replaceIn(tx, seq))
const replaceIn = (tx: Tx, seq: number) =>
  tx.query(sql`update events set at = '2020-01-01T00:00:00.000Z' where seq >= ${seq}`)

/** Removes the events after `seq`, and puts none in their place. */
const cutAfter = ({ store }: Ledger, seq: number) =>
  store.db.tx((tx) => tx.query(sql`delete from events where seq > ${seq}`))

const newest = async (client: Client): Promise<Event> =>
  (await client.listEvents({ order: 'desc', limit: 1 })).events[0] as Event

const forked = { code: 'LOG_FORKED', status: 410 }
const another = (event: Event) => ({
  ...forked,
  message: `The log has another event ${event.seq} than this reader (${event.id}): the database has lost events, and other events have their numbers. Read the ledger again, then follow from the end of the log.`,
})

const open = (ledger: Ledger, headers: Record<string, string>, query = '') =>
  ledger.fetch(`/v1/events${query}`, { headers: { accept: 'text/event-stream', ...headers } })

/** Reads the messages of a stream one by one. */
function messagesOf(response: Response) {
  assert.equal(response.status, 200)
  const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>)
    .pipeThrough(new TextDecoderStream())
    .getReader()
  let text = ''
  return async (): Promise<string | undefined> => {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end >= 0) {
        const message = text.slice(0, end)
        text = text.slice(end + 2)
        return message
      }
      const { done, value } = await reader.read()
      if (done) return undefined
      text += value
    }
  }
}

testLedger('an event has the same id for every reader, even after its texts are erased', async (ledger) => {
  const { client } = ledger
  await client.createRun({ runId: 'A', title: 'a secret', content: 'more' })
  const { events } = await client.listEvents()
  for (const { id, seq } of events) assert.match(id, new RegExp(`^${seq}-[0-9a-f]{12}$`))
  const ids = events.map(({ id }) => id)
  assert.equal(new Set(ids).size, ids.length)
  const next = messagesOf(await open(ledger, {}, '?after=0'))
  await next()
  const streamed = []
  while (streamed.length < ids.length) streamed.push(JSON.parse((await next())?.split('\ndata: ')[1] as string).id)
  assert.deepEqual(streamed, ids)
  await client.erase({ runId: 'A' })
  await client.updateProject({ slug: 'default', name: 'Another name' })
  const after = (await client.listEvents()).events.map(({ id }) => id)
  assert.deepEqual(after.slice(0, ids.length), ids)
})

testLedger('a list continues after an id, and is refused if the log has lost that event', async (ledger) => {
  const { client } = ledger
  for (const runId of ['A', 'B', 'C', 'D']) await client.createRun({ runId })
  const [a, b, c, d] = (await client.listEvents({ type: ['run.created'] })).events as [Event, Event, Event, Event]
  assert.deepEqual((await client.listEvents({ after: b.id })).events, [c, d])
  assert.deepEqual((await client.listEvents({ after: String(b.seq) })).events, [c, d])
  await replace(ledger, c.seq)
  for (const lost of [c, d]) {
    await assert.rejects(client.listEvents({ after: lost.id }), another(lost))
    await assert.rejects(client.listEvents({ after: lost.id, order: 'desc', type: ['key.created'] }), forked)
  }
  for (const kept of [a, b]) {
    const { events } = await client.listEvents({ after: kept.id })
    assert.equal(events.length, d.seq - kept.seq)
  }
  // A seq alone does not identify the history.
  assert.equal((await client.listEvents({ after: c.seq })).events.length, 1)
  await cutAfter(ledger, c.seq)
  await assert.rejects(client.listEvents({ after: d.id }), {
    ...forked,
    message: `The log ends with event ${c.seq}, and this reader has event ${d.seq}: the database has lost events. Read the ledger again, then follow from the end of the log.`,
  })
  await assert.rejects(client.listEvents({ after: d.seq }), forked)
})

testLedger('the error for a malformed position says what would be right', async (ledger) => {
  for (const after of ['x', '-1', '1.5', '3-x', '0-9f3c1a2b0d4e']) {
    await assert.rejects(ledger.client.listEvents({ after }), {
      code: 'VALIDATION_ERROR',
      message: `after: must be the seq or the id of an event, like 41 or 41-9f3c1a2b0d4e, not '${after}'.`,
    })
  }
  const odd = await open(ledger, { 'last-event-id': '3-x' })
  assert.equal(odd.status, 400)
  assert.match((await odd.json()).error, /^The Last-Event-ID '3-x' is not the id or seq of an event/)
})

testLedger(
  'a stream refuses a position that the log has lost, and uses seqs or ids as its reader does',
  async (ledger) => {
    const { client } = ledger
    for (const runId of ['A', 'B', 'C']) await client.createRun({ runId })
    const [a, b, c] = (await client.listEvents({ type: ['run.created'] })).events as [Event, Event, Event]
    const bySeq = messagesOf(await open(ledger, {}, `?after=${a.seq}`))
    assert.equal(await bySeq(), `: events follow\nafter: ${a.id}\nid: ${a.seq}`)
    assert.match((await bySeq()) ?? '', new RegExp(`^id: ${b.seq}\ndata: `))
    const byId = messagesOf(await open(ledger, { 'last-event-id': a.id }))
    assert.equal(await byId(), `: events follow\nafter: ${a.id}\nid: ${a.id}`)
    for (const event of [b, c]) assert.equal(await byId(), `id: ${event.id}\ndata: ${JSON.stringify(event)}`)
    await replace(ledger, c.seq)
    for (const response of [await open(ledger, { 'last-event-id': c.id }), await open(ledger, {}, `?after=${c.id}`)]) {
      assert.equal(response.status, 410)
      assert.equal((await response.json()).error, another(c).message)
    }
    await (await open(ledger, { 'last-event-id': b.id })).body?.cancel()
  },
)

testLedger('open streams end when the log has lost events, even if it has more by then', async (ledger) => {
  const { client, store } = ledger
  const next = messagesOf(await open(ledger, {}))
  await next()
  await client.createRun({ runId: 'A' })
  await next()
  const { seq } = await newest(client)
  const rest = sql`subject_id, project_id, actor_id, is_append, imported, type, subject`
  await store.db.tx(async (tx) => {
    await replaceIn(tx, seq)
    await tx.query(sql`insert into events (seq, ${rest}, at, changes)
      select seq + 1, ${rest}, at, changes from events where seq = ${seq}`)
  })
  assert.equal(await next(), undefined)
})

testLedger('open streams end when the log has lost events, even if it has as many again', async (ledger) => {
  const { client } = ledger
  for (const runId of ['A', 'B', 'C']) await client.createRun({ runId })
  const next = messagesOf(await open(ledger, {}))
  await next()
  await client.createRun({ runId: 'D' })
  const last = await newest(client)
  assert.match((await next()) ?? '', new RegExp(`^id: ${last.seq}\n`))
  await replace(ledger, last.seq - 1)
  assert.equal(await next(), undefined)
})

testLedger('a reader that is behind receives no events of another history', async (ledger) => {
  const { client, store } = ledger
  const runIds = Array.from({ length: 30 }, (_, n) => `R-${n}`)
  for (const runId of runIds) await client.createRun({ runId })
  const { query } = store.db
  const last = await newest(client)
  // While the server reads the first page, which begins after 1, before the stream can notice by itself.
  let isDue = true
  store.db.query = async (statement) => {
    if (isDue && statement.sql.includes('e.seq >') && statement.values.includes(1)) {
      isDue = false
      await replace(ledger, last.seq - 10)
    }
    return query(statement)
  }
  const next = messagesOf(await open(ledger, {}, '?after=1'))
  await next()
  assert.equal(await next(), undefined)
})

testLedger('a following client learns that the log has lost the events it has read', async (ledger) => {
  const { client, app, as } = ledger
  await client.createRun({ runId: 'A' })
  const event = await newest(client)
  const reader = client.follow({ after: 0, type: ['run.created'] })
  assert.equal((await reader.next()).value?.id, event.id)
  const greeting = Promise.withResolvers<void>()
  const greeted = new TransformStream({
    transform(chunk, controller) {
      controller.enqueue(chunk)
      greeting.resolve()
    },
  })
  let streams = 0
  const fresh = as({
    async fetch(request) {
      const response = await app.fetch(request)
      return streams++ === 0 ? new Response(response.body?.pipeThrough(greeted), response) : response
    },
  })
  // This client knows where it began, and has received no event.
  const waiting = assert.rejects(fresh.follow().next(), another(event))
  await greeting.promise
  await replace(ledger, event.seq)
  await assert.rejects(reader.next(), another(event))
  await waiting
  await assert.rejects(client.follow({ after: event.id }).next(), another(event))
})

const webhooks = { webhooks: { allow: ['127.0.0.1'], timeoutMs: 5_000 }, warn: () => {} }

testLedger(
  'a webhook sends the events that replaced lost ones, in messages with new ids',
  async (ledger, t) => {
    const { client } = ledger
    let respond = () => {}
    const receiver = await openReceiver(t, (response, message) => {
      respond = () => accept(response, message)
    })
    const { webhook } = await client.createWebhook({ url: receiver.url, types: ['run.created'] })
    await client.createRun({ runId: 'A' })
    await receiver.until((received) => received.length === 1)
    const lost = receiver.events()[0] as Event
    // The database loses the event while the receiver has not yet responded.
    await replace(ledger, lost.seq)
    receiver.respond(accept)
    respond()
    await receiver.until((received) => received.length === 2)
    const [first, second] = receiver.received
    assert.equal(second?.events[0]?.seq, lost.seq)
    assert.notEqual(second?.events[0]?.id, lost.id)
    assert.match(String(second?.headers['webhook-id']), new RegExp(`_${second?.events[0]?.id}$`))
    assert.notEqual(first?.headers['webhook-id'], second?.headers['webhook-id'])
    await assert.rejects(client.updateWebhook({ id: webhook.id, after: lost.id }), forked)
    await assert.rejects(client.createWebhook({ url: receiver.url, after: lost.id }), forked)
    const event = (await client.listEvents({ type: ['run.created'] })).events[0] as Event
    const { webhook: moved } = await client.updateWebhook({ id: webhook.id, after: event.id })
    assert.equal(moved.after, event.seq)
  },
  webhooks,
)

testLedger(
  'a webhook does not skip events that replaced others while the server read the log',
  async (ledger, t) => {
    const { client, store } = ledger
    const receiver = await openReceiver(t)
    const { query } = store.db
    store.db.query = async <Row extends object>(statement: Parameters<typeof query>[0]) => {
      const rows = await query<Row>(statement)
      // The server has read up to the newest event, and found nothing to send.
      if (statement.sql.includes('e.seq <') && rows.length === 0) {
        store.db.query = query
        await store.db.tx((tx) =>
          tx.query(sql`update events set type = 'run.created', at = '2020-01-01T00:00:00.000Z'
            where seq = (select max(seq) from events)`),
        )
      }
      return rows
    }
    await client.createWebhook({ url: receiver.url, types: ['run.created'] })
    await receiver.until((received) => received.length === 1)
    assert.equal(receiver.events()[0]?.type, 'run.created')
  },
  webhooks,
)

testLedger('the seal includes no event that was lost during sealing', async (ledger) => {
  const { client, store } = ledger
  await client.createRun({ runId: 'A' })
  const { seq } = await newest(client)
  const { query } = store.db
  store.db.query = async <Row extends object>(statement: Parameters<typeof query>[0]) => {
    const rows = await query<Row>(statement)
    // The query has read the events to seal.
    if (statement.sql.includes('left join actors')) {
      store.db.query = query
      await replace(ledger, seq)
    }
    return rows
  }
  await assert.rejects(client.getCheckpoint(), {
    code: 'UNAVAILABLE',
    message: /lost event \d+ while the log was sealed/,
  })
  assert.equal((await client.getCheckpoint()).size, seq)
  assert.deepEqual((await verify(client, [])).faults, [])
})
