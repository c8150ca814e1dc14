import assert from 'node:assert/strict'
import sql from 'sql-template-tag'
import { ConductError } from '../src/client/client.ts'
import type { Tx } from '../src/engine/db.ts'
import { indexMore } from '../src/find/follow.ts'
import { sealNext } from '../src/log/seal/seal.ts'
import { checkpointsIn } from '../src/log/seal/signed-note.ts'
import { retentionJob } from '../src/server/jobs/retention.ts'
import { verify } from '../src/verify/verify.ts'
import { engines, type Ledger, testLedger } from './support/engines.ts'
import { exportAt, exportOf, importAt, openAt } from './support/exported.ts'
import { hang, openReceiver } from './support/receiver.ts'

const dayMs = 86_400_000

/** Does what a server that keeps events for 30 days does. */
async function dropOld({ store }: Ledger): Promise<void> {
  while (await indexMore(store.db, 5));
  while (await sealNext(store.db));
  const job = retentionJob(store, { logDays: 30 })
  while (await job.step(5));
}

/** A ledger with `old` events of 40 days ago and `young` ones of today, and a checkpoint between them. */
async function furnish(ledger: Ledger, old: number, young = 3) {
  const { client, advance } = ledger
  for (let n = 1; n <= old - 2; n++) await client.createRun({ runId: `OLD-${n}`, title: 'altwort' })
  advance(61_000)
  const anchors = checkpointsIn((await client.getCheckpoint()).note)
  advance(40 * dayMs)
  for (let n = 1; n <= young; n++) await client.createRun({ runId: `NEW-${n}` })
  return anchors
}

const dropped = (first: number) => (error: unknown) => {
  assert.ok(error instanceof ConductError)
  assert.deepEqual([error.code, error.status, error.firstSeq], ['EVENTS_DROPPED', 410, first])
  return true
}

testLedger(
  'old events are dropped, and the error for a reader before them says where the log begins',
  async (ledger) => {
    const { client, fetch, store } = ledger
    // Two of the 620 are the ledger's own: its project and its first key.
    await furnish(ledger, 620)
    await dropOld(ledger)
    const { events } = await client.listEvents({ limit: 100 })
    assert.deepEqual(
      events.map(({ seq, type }) => [seq, type]),
      [...[621, 622, 623].map((seq) => [seq, 'run.created']), [624, 'erasure.created']],
    )
    assert.deepEqual(events.at(-1)?.changes, { what: [null, 'log'], first: [null, 621] })
    assert.deepEqual(events.at(-1)?.actor, { kind: 'system', name: 'retention' })
    for (const after of [0, 619]) await assert.rejects(client.listEvents({ after }), dropped(621))
    assert.equal((await client.listEvents({ after: 620 })).events.length, 4)
    assert.equal((await client.listEvents({ order: 'desc', limit: 2 })).events[0]?.seq, 624)
    const headers = { accept: 'text/event-stream' }
    assert.equal((await fetch('/v1/events?after=619', { headers })).status, 410)
    const stream = await fetch('/v1/events', { headers: { ...headers, 'last-event-id': '620' } })
    assert.equal(stream.status, 200)
    await stream.body?.cancel()
    await assert.rejects(async () => {
      for await (const _ of client.follow({ after: 5 })) assert.fail('it must not begin')
    }, dropped(621))
    assert.equal((await client.listRuns({ limit: 1 })).runs.length, 1, 'only the log has become shorter')
    assert.deepEqual(await store.db.query(sql`select seq from seal_salts where seq < 621`), [])
    await client.createRun({ runId: 'NEXT' })
    assert.equal((await client.listEvents({ order: 'desc', limit: 1 })).events[0]?.seq, 625)
  },
)

testLedger('a reader of few events keeps its place in the log, however old the last of them is', async (ledger) => {
  const { client } = ledger
  await furnish(ledger, 20)
  const filter: Parameters<typeof client.listEvents>[0] = { type: ['key.created'] }
  const read = async (after?: number) => (await client.listEvents({ ...filter, after })).meta.lastSeq
  const place = await read()
  assert.equal(place, 23)
  await dropOld(ledger)
  assert.equal(await read(await read(place)), 24)
  // Nor does a reader of none begin before the log.
  assert.equal(await read(await read()), 24)
  const before = await client.listEvents({ ...filter, before: 23 })
  assert.deepEqual(before.meta, { hasMore: false, lastSeq: 22 })
})

testLedger('a stream ends before events that were dropped while it read', async (ledger) => {
  const { client, fetch } = ledger
  await furnish(ledger, 620)
  const { body } = await fetch('/v1/events?after=0', { headers: { accept: 'text/event-stream' } })
  const reader = (body as ReadableStream<Uint8Array>).getReader()
  const read = async () => new TextDecoder().decode((await reader.read()).value)
  let text = await read()
  while (!/^id: 3$/m.test(text)) text += await read()
  await dropOld(ledger)
  for (let more = await read(); more !== ''; more = await read()) text += more
  const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id))
  assert.deepEqual(
    ids,
    ids.map((_, index) => index),
  )
  assert.ok(ids.length < 621, `${ids.length} events`)
  await assert.rejects(client.listEvents({ after: ids.at(-1) as number }), dropped(621))
})

testLedger(
  'proofs and anchors stay valid after a drop, and verify finds an event that is missing besides',
  async (ledger) => {
    const { client, store, advance } = ledger
    const anchors = await furnish(ledger, 20)
    await dropOld(ledger)
    advance(61_000)
    const found = await verify(client, anchors)
    assert.deepEqual([found.faults, found.dropped, found.events, found.anchored], [[], 20, 24, 20])
    assert.ok((await client.getProof({ seq: 5 })).proof)
    assert.ok((await client.getConsistency({ from: 20 })).hashes)
    await store.db.tx((tx) => tx.query(sql`delete from events where seq = 21`))
    const [fault] = (await verify(client, anchors)).faults
    assert.match(fault?.words ?? '', /Event 21 is missing, and the log does not say that it dropped them/)
  },
)

testLedger(
  'events wait for the followers and webhooks that have yet to read them',
  async (ledger, t) => {
    const { client } = ledger
    // The first delivery lasts for as long as the test.
    const receiver = await openReceiver(t, hang)
    const { webhook } = await client.createWebhook({ url: receiver.url })
    await furnish(ledger, 20)
    await dropOld(ledger)
    const { after } = (await client.getWebhook({ id: webhook.id })).webhook
    assert.equal((await client.listEvents({ limit: 1 })).events[0]?.seq, after + 1)
    await client.updateWebhook({ id: webhook.id, enabled: false })
    await dropOld(ledger)
    const first = (await client.listEvents({ limit: 1 })).events[0]?.seq ?? 0
    assert.ok(first > after + 1)
    for (const change of [{ enabled: true }, { after: 1 }]) {
      await assert.rejects(client.updateWebhook({ id: webhook.id, ...change }), dropped(first))
    }
    await assert.rejects(client.createWebhook({ url: 'http://localhost:9/', after: 1 }), dropped(first))
    const changed = await client.updateWebhook({ id: webhook.id, enabled: true, after: first - 1 })
    assert.equal(changed.webhook.enabled, true)
  },
  { webhooks: { allow: ['127.0.0.1'] } },
)

testLedger('what stands in the log only with its later events is erased', async (ledger) => {
  const { client } = ledger
  await client.createRun({ runId: 'R', title: 'altwort' })
  await client.createSpec({ specId: 'S', title: 'altwort' })
  await client.createCheck({ checkId: 'C', runId: 'R', result: 'pass' })
  await furnish(ledger, 20)
  await dropOld(ledger)
  await client.updateCheck({ checkId: 'C', command: 'altwort' })
  for (const [asked, found] of [
    [{ runId: 'R' }, { runs: 1, checks: 1, events: 1 }],
    [{ specId: 'S' }, { specs: 1 }],
  ] as const) {
    const { erased } = await client.erase(asked)
    assert.deepEqual(
      Object.fromEntries(Object.entries(erased).filter(([what, count]) => what !== 'responses' && count > 0)),
      found,
    )
  }
  assert.equal((await client.getRun({ runId: 'R' })).run.title, '[erased]')
  assert.ok(!JSON.stringify(await client.listEvents({ order: 'desc' })).includes('altwort'))
})

testLedger('the newest event stays, however old it is', async (ledger) => {
  const { client, advance } = ledger
  await client.createRun({ runId: 'R' })
  advance(100 * dayMs)
  await dropOld(ledger)
  advance(100 * dayMs)
  await dropOld(ledger)
  const { events } = await client.listEvents({})
  assert.deepEqual(events.at(-1)?.type, 'erasure.created')
  await client.createRun({ runId: 'S' })
  advance(61_000)
  assert.deepEqual((await verify(client, [])).faults, [])
})

testLedger('a ledger without its first events is copied as it is, and verified', async (ledger, t) => {
  const { client, store } = ledger
  const anchors = await furnish(ledger, 20)
  await dropOld(ledger)
  while (await sealNext(store.db));
  const text = await exportOf(store, true)
  const { events } = await client.listEvents({ limit: 100 })
  for (const engine of engines) {
    const { url } = await engine.ledger(t)
    await importAt(url, text)
    assert.ok((await exportAt(url, true)) === text, 'the same bytes')
    const copy = await openAt(t, url)
    assert.deepEqual((await copy.client.listEvents({ limit: 100 })).events, events)
    await assert.rejects(copy.client.listEvents({ after: 0 }), dropped(21))
    copy.advance(41 * dayMs)
    await copy.client.createRun({ runId: 'LATER' })
    const [last] = (await copy.client.listEvents({ order: 'desc', limit: 1 })).events
    assert.equal(last?.seq, (events.at(-1)?.seq ?? 0) + 1)
    copy.advance(61_000)
    const found = await verify(copy.client, anchors)
    assert.deepEqual([found.faults, found.dropped, found.anchored], [[], 20, 20], engine.name)
    while (await indexMore(copy.store.db, 5));
    assert.equal((await copy.client.search({ q: 'altwort' })).results.length > 0, true)
  }
})

testLedger('a copy whose first events are not sealed continues where the log begins', async (ledger, t) => {
  const { client, store } = ledger
  await furnish(ledger, 300)
  await dropOld(ledger)
  await client.createRun({ runId: 'UNSEALED' })
  for (const engine of engines) {
    const { url } = await engine.ledger(t)
    await importAt(url, await exportOf(store))
    const copy = await openAt(t, url)
    copy.advance(42 * dayMs)
    const found = await verify(copy.client, [])
    assert.deepEqual([found.faults, found.dropped], [[], 300], engine.name)
    // It drops on from there.
    while (await indexMore(copy.store.db, 5));
    const job = retentionJob(copy.store, { logDays: 1 })
    while (await job.step(5));
    copy.advance(61_000)
    assert.deepEqual((await verify(copy.client, [])).faults, [])
  }
})

testLedger('the seal skips events that another server sealed and dropped meanwhile', async (ledger) => {
  const { client, store, advance } = ledger
  for (let n = 1; n <= 5; n++) await client.createRun({ title: `run ${n}` })
  let isFirst = true
  const query: Tx['query'] = async (statement) => {
    const rows = await store.db.query(statement)
    if (!isFirst || !/from followers where name = 'seal'/.test(statement.sql)) return rows as never
    // This server has read how much is sealed. Now the other one seals and drops.
    isFirst = false
    advance(40 * dayMs)
    await client.createRun({ title: 'newer' })
    await dropOld(ledger)
    return rows as never
  }
  await sealNext({ ...store.db, query })
  assert.equal(isFirst, false)
})
