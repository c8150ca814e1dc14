import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import sql from 'sql-template-tag'
import { ConductError } from '../src/contract/error.ts'
import type { Db } from '../src/engine/db.ts'
import type { Event } from '../src/log/fields.ts'
import { openStore } from '../src/operations/open.ts'
import { createApp } from '../src/server/app.ts'
import { base, engines, type Ledger, openLedger, testLedger } from './support/engines.ts'

interface Told {
  id: number
  subject: string
  event: unknown
}

/** Opens a stream of events, and reads it on demand. */
async function read(
  ledger: Pick<Ledger, 'fetch'>,
  t: TestContext,
  path = '/v1/events',
  headers: Record<string, string> = {},
) {
  const response = await ledger.fetch(path, {
    headers: { accept: 'text/event-stream', ...headers },
  })
  assert.deepEqual([response.status, response.headers.get('content-type')], [200, 'text/event-stream'])
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  t.after(() => reader.cancel())
  const decoder = new TextDecoder()
  let text = ''
  /** The next `count` events, or fewer if the stream ends. */
  async function take(count: number): Promise<Told[]> {
    const told: Told[] = []
    while (told.length < count) {
      const end = text.indexOf('\n\n')
      if (end >= 0) {
        const [, id, data] = /^id: (\d+)\ndata: (.*)$/.exec(text.slice(0, end)) ?? []
        if (id && data) told.push(toldBy(id, data))
        text = text.slice(end + 2)
        continue
      }
      const { done, value } = await reader.read()
      if (done) return told
      text += decoder.decode(value, { stream: true })
    }
    return told
  }
  return { take, cancel: () => reader.cancel() }
}

function toldBy(id: string, data: string): Told {
  const event = JSON.parse(data)
  return { id: Number(id), subject: event.subject, event }
}

/** Reads the body of a response as texts. */
function textsOf({ body }: Response, t: TestContext) {
  const reader = (body ?? assert.fail()).pipeThrough(new TextDecoderStream()).getReader()
  t.after(() => reader.cancel())
  return reader
}

const subjects = (told: Told[]) => told.map(({ subject }) => subject)

testLedger('a stream tells at once what was committed while it opened', async ({ client, store, adminKey }, t) => {
  const query: Db['query'] = async (statement) => {
    const rows = await store.db.query<never>(statement)
    if (/order by e\.seq desc limit 1/.test(statement.text)) await client.createRun({ runId: 'MEANWHILE' })
    return rows
  }
  // The server hears of no later commit.
  const db = { ...store.db, query, watch: () => () => {} }
  const app = createApp({ store: { ...store, db }, rateLimit: 0 })
  const headers = { authorization: `Bearer ${adminKey}` }
  const fetch: Ledger['fetch'] = async (path, init) =>
    app.fetch(new Request(base + path, { ...init, headers: { ...headers, ...init?.headers } }))
  const live = await read({ fetch }, t)
  const late = sleep(20_000, ['nothing'], { ref: false })
  assert.deepEqual(await Promise.race([live.take(1).then(subjects), late]), ['MEANWHILE'])
})

testLedger(
  'a stream begins now, sends each change once and in order, and resumes from any position',
  async (ledger, t) => {
    const { client } = ledger
    await client.createRun({ runId: 'before' })
    const live = await read(ledger, t)
    for (const runId of ['A', 'B', 'C']) await client.createRun({ runId })
    const told = await live.take(3)
    assert.deepEqual(subjects(told), ['A', 'B', 'C'])
    const [first, second] = told as [Told, Told]
    assert.equal(second.id, first.id + 1)
    assert.deepEqual(subjects(await (await read(ledger, t, `/v1/events?after=${first.id}`)).take(2)), ['B', 'C'])
    const resumed = await read(ledger, t, '/v1/events?after=0', { 'last-event-id': String(second.id) })
    assert.deepEqual(subjects(await resumed.take(1)), ['C'])
    await client.createRun({ runId: 'D' })
    assert.deepEqual([subjects(await live.take(1)), subjects(await resumed.take(1))], [['D'], ['D']])
    const odd = await ledger.fetch('/v1/events', { headers: { accept: 'text/event-stream', 'last-event-id': 'x' } })
    assert.equal(odd.status, 400)
  },
)

testLedger(
  'when the database has lost events, open streams end, and readers of lost events cannot resume',
  async (ledger, t) => {
    const { client, store } = ledger
    for (const runId of ['A', 'B', 'C']) await client.createRun({ runId })
    const live = await read(ledger, t, '/v1/events?after=0')
    const last = (await client.listEvents({ order: 'desc', limit: 1 })).events[0]?.seq as number
    const told: number[] = []
    while (told.at(-1) !== last) told.push(...(await live.take(1)).map(({ id }) => id))
    const follower = client.follow({ after: last })
    const forked = assert.rejects(follower.next(), { code: 'LOG_FORKED', status: 410 })
    // As after a failover to a standby that had not received the newest event.
    await store.db.tx((tx) => tx.query(sql`delete from events where seq >= ${last}`))
    assert.deepEqual(await live.take(1), [])
    await forked
    const resumed = await ledger.fetch('/v1/events', {
      headers: { accept: 'text/event-stream', 'last-event-id': String(last) },
    })
    assert.equal(resumed.status, 410)
    const answer = (await resumed.json()) as { code: string; error: string }
    assert.equal(answer.code, 'LOG_FORKED')
    assert.match(answer.error, new RegExp(`ends with event ${last - 1}, and this reader has event ${last}`))
    await (await read(ledger, t, `/v1/events?after=${last - 1}`)).cancel()
  },
)

testLedger('the client follows the stream, and continues where it was after a lost connection', async (ledger) => {
  const { client, as } = ledger
  let connections = 0
  const fragile = as({
    fetch: async (request) => {
      const response = await ledger.fetch(request.url.slice(base.length), {
        headers: Object.fromEntries(request.headers),
      })
      connections++
      if (connections > 2 || !response.body) return response
      // The first connection breaks after its first message, the second after its second.
      let said = 0
      const cut = new TransformStream({
        transform(chunk, controller) {
          controller.enqueue(chunk)
          if (++said === connections) controller.terminate()
        },
      })
      return new Response(response.body.pipeThrough(cut), response)
    },
  })
  const told: string[] = []
  const following = (async () => {
    for await (const { subject } of fragile.follow({ type: ['run.created'], after: 0 })) {
      told.push(subject)
      if (told.length === 5) return
    }
  })()
  for (const [n, runId] of ['A', 'B', 'C', 'D', 'E'].entries()) {
    await client.createRun({ runId })
    while (told.length <= n) await sleep(5)
  }
  await following
  assert.deepEqual(told, ['A', 'B', 'C', 'D', 'E'])
  assert.equal(connections, 3)
  const wrong = as({ key: `sk_read_${'x'.repeat(43)}` })
  await assert.rejects(wrong.follow().next(), { code: 'UNAUTHORIZED' })
  await assert.rejects(client.follow({}, { signal: AbortSignal.timeout(50) }).next(), { name: 'TimeoutError' })
})

testLedger('the client reads events whose texts have the line separators of Unicode', async ({ client, as, app }) => {
  const titles = ['before', 'one\u2028two\u2029three\u0085four\rfive', 'after']
  for (const title of titles) await client.createRun({ title })
  let connections = 0
  const counting = as({
    fetch: (request) => {
      connections++
      return app.fetch(request)
    },
  })
  const told: unknown[] = []
  const signal = AbortSignal.timeout(10_000)
  for await (const { changes } of counting.follow({ type: ['run.created'], after: 0 }, { signal })) {
    if (told.push(changes.title?.[1]) === titles.length) break
  }
  assert.deepEqual(told, titles)
  assert.equal(connections, 1)
})

testLedger('readers that are far behind do not block the event loop', async (ledger, t) => {
  const { client } = ledger
  await Promise.all(Array.from({ length: 300 }, (_, n) => client.createRun({ runId: `R-${n}` })))
  const streams = await Promise.all(Array.from({ length: 15 }, () => read(ledger, t, '/v1/events?after=2')))
  let turns = 0
  let isOver = false
  const count = () => {
    turns++
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  await Promise.all(streams.map(({ take }) => take(300)))
  isOver = true
  assert.ok(turns > 2, `the event loop turned ${turns} times`)
})

testLedger('a reader that gives up while its stream opens stops waiting', async (ledger) => {
  const gaveUp = new AbortController()
  const { as } = ledger
  const fetch = async (request: Request) => {
    const response = await ledger.app.fetch(request)
    gaveUp.abort()
    return response
  }
  await assert.rejects(as({ fetch }).follow({}, { signal: gaveUp.signal }).next(), { name: 'AbortError' })
})

testLedger('a stream sends the same events as the list, live and afterwards', async (ledger, t) => {
  const { client } = ledger
  const live = await read(ledger, t)
  const { meta } = await client.listEvents({ order: 'desc', limit: 1 })
  await client.createRun({ runId: 'A', title: 'A log', labels: { a: '"quoted" — 日本' } })
  await client.appendToRun({ runId: 'A', text: 'one\n' })
  await client.appendToRun({ runId: 'A', text: 'two\n' })
  await client.createRun({ runId: 'B', content: 'whole' })
  await client.appendToRun({ runId: 'B', text: 'more' })
  const { events } = await client.listEvents({ after: meta.lastSeq })
  assert.equal(events.length, 5)
  const later = await read(ledger, t, `/v1/events?after=${meta.lastSeq}`)
  for (const { take } of [live, later]) {
    assert.deepEqual(
      (await take(events.length)).map(({ event }) => event),
      events,
    )
  }
})

testLedger('a request that opens no stream does not count as one', async ({ fetch, store }) => {
  const ask = (method: string) => fetch('/v1/events', { method, headers: { accept: 'text/event-stream' } })
  for (let n = 0; n < 25; n++) assert.equal((await ask('HEAD')).status, 200)
  const { query } = store.db
  store.db.query = async (statement) => {
    if (statement.sql.includes('order by e.seq desc')) throw new ConductError('UNAVAILABLE', 'not now')
    return query(statement)
  }
  for (let n = 0; n < 25; n++) assert.equal((await ask('GET')).status, 503)
  store.db.query = query
  const stream = await ask('GET')
  assert.equal(stream.status, 200)
  await stream.body?.cancel()
})

testLedger('a stream goes forward without an end, and Accept may prefer a page to it', async ({ fetch }) => {
  const ask = (query: string, accept: string) => fetch(`/v1/events${query}`, { headers: { accept } })
  for (const field of ['order', 'before']) {
    const refused = await ask(field === 'order' ? '?order=desc' : '?before=5', 'text/event-stream')
    assert.equal(refused.status, 422)
    assert.match(await refused.text(), new RegExp(`"path":"${field}"`))
  }
  const typeFor = async (accept: string) => {
    const response = await ask('?order=asc', accept)
    await response.body?.cancel()
    return response.headers.get('content-type')
  }
  const [stream, page] = ['text/event-stream', 'application/json']
  assert.equal(await typeFor(`${page}, ${stream}`), stream)
  assert.equal(await typeFor(`${page};q=0.5, Text/Event-Stream`), stream)
  assert.equal(await typeFor(`${page}, ${stream};q=0.5`), page)
  assert.equal(await typeFor(`${stream};q=0`), page)
})

testLedger('a stream sends what its reader selected and may see', async (ledger, t) => {
  const { client, as } = ledger
  await client.createProject({ slug: 'shop' })
  const { secret } = await client.createKey({ name: 'r', permissions: ['read'], project: 'shop' })
  const ofShop = await read(ledger, t, '/v1/events', { authorization: `Bearer ${secret}` })
  const updates = await read(ledger, t, '/v1/events?type=run.updated&subject=B')
  await client.createRun({ runId: 'A' })
  await as({ project: 'shop' }).createRun({ runId: 'B' })
  await as({ project: 'shop' }).updateRun({ runId: 'B', title: 'x' })
  await client.createKey({ name: 'unseen', permissions: ['read'], project: 'shop' })
  await as({ project: 'shop' }).createRun({ runId: 'C' })
  assert.deepEqual(subjects(await ofShop.take(3)), ['B', 'B', 'C'])
  assert.deepEqual(subjects(await updates.take(1)), ['B'])
  const elsewhere = await ledger.fetch('/v1/events?project=default', {
    headers: { accept: 'text/event-stream', authorization: `Bearer ${secret}` },
  })
  assert.equal(elsewhere.status, 404)
})

testLedger('a stream also sends what another process commits', async (ledger, t) => {
  const live = await read(ledger, t)
  const other = await openStore(ledger.url)
  t.after(() => other.close())
  const app = createApp({ store: other })
  const create = (runId: string) =>
    app.fetch(
      new Request(`${base}/v1/runs`, {
        method: 'POST',
        headers: { authorization: `Bearer ${ledger.adminKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ runId }),
      }),
    )
  await Promise.all([create('A'), create('B'), ledger.client.createRun({ runId: 'C' })])
  assert.deepEqual(subjects(await live.take(3)).sort(), ['A', 'B', 'C'])
})

testLedger('a slow reader misses nothing, and does not delay others', async (ledger, t) => {
  const { client } = ledger
  const slow = await read(ledger, t)
  const quick = await read(ledger, t)
  const runIds = Array.from({ length: 300 }, (_, n) => `R${n}`)
  await Promise.all(runIds.map((runId) => client.createRun({ runId, content: 'x'.repeat(2000) })))
  assert.equal((await quick.take(300)).length, 300)
  const told = await slow.take(300)
  assert.deepEqual(
    told.map(({ id }) => id),
    told.map((_, index) => (told[0] as Told).id + index),
  )
})

testLedger('a slow reader of a filtered stream gets the events of projects created meanwhile', async (ledger, t) => {
  const { client, as } = ledger
  await client.createRun({ runId: 'R' })
  const streams = [await read(ledger, t, '/v1/events?type=run.updated'), await read(ledger, t, '/v1/events?subject=R')]
  /** 40 of these events are more than a server keeps in memory for its readers. */
  const update = async (from: number, to: number) => {
    for (let n = from; n < to; n++) {
      const links = Array.from({ length: 32 }, () => ({ rel: 'x', href: `https://e.com/${'y'.repeat(2000)}${n}` }))
      await client.updateRun({ runId: 'R', links })
    }
  }
  await update(0, 10)
  await client.createProject({ slug: 'shop' })
  const shop = as({ project: 'shop' })
  await shop.createRun({ runId: 'R' })
  await shop.updateRun({ runId: 'R', title: 'x' })
  await update(10, 50)
  for (const stream of streams) {
    const projects = (await stream.take(12)).map(({ event }) => (event as Event).project)
    assert.ok(projects.includes('shop'), projects.join())
  }
})

testLedger('a stream ends within 15 seconds after its key does, and others continue', async (ledger, t) => {
  const { client, as } = ledger
  const newKey = (name: string, expiresAt: string | null) =>
    client.createKey({ name, permissions: ['read'], expiresAt })
  const inAMinute = new Date(Date.parse(ledger.store.now()) + 60_000).toISOString()
  const keys = await Promise.all([newKey('revoked', null), newKey('expiring', inAMinute), newKey('living', null)])
  t.mock.timers.enable({ apis: ['setInterval'] })
  const open = ({ secret }: { secret: string }) => read(ledger, t, '/v1/events', { authorization: `Bearer ${secret}` })
  const [revoked, expiring, living] = await Promise.all([open(keys[0]), open(keys[1]), open(keys[2])])
  const follower = as({ key: keys[0].secret }).follow({ after: 0, type: ['run.created'] })
  await client.createRun({ runId: 'A' })
  assert.equal((await follower.next()).value?.subject, 'A')
  const following = follower.next()
  await client.revokeKey({ id: keys[0].key.id })
  ledger.advance(60_000)
  t.mock.timers.tick(14_999)
  for (const stream of [revoked, expiring, living]) assert.deepEqual(subjects(await stream.take(1)), ['A'])
  t.mock.timers.tick(1)
  assert.deepEqual([await revoked.take(1), await expiring.take(1)], [[], []])
  await assert.rejects(following, { code: 'UNAUTHORIZED' })
  await client.createRun({ runId: 'B' })
  t.mock.timers.tick(15_000)
  assert.deepEqual(subjects(await living.take(1)), ['B'])
})

testLedger('a stream tells its place to a reader whose filter leaves everything out', async (ledger, t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { events } = await ledger.client.listEvents({ order: 'desc', limit: 1 })
  const headers = { accept: 'text/event-stream' }
  const response = await ledger.fetch(`/v1/events?type=key.created&after=${events[0]?.id}`, { headers })
  const reader = textsOf(response, t)
  let told = (await reader.read()).value
  for (const runId of ['A', 'B', 'C']) await ledger.client.createRun({ runId })
  const [newest] = (await ledger.client.listEvents({ order: 'desc', limit: 1 })).events
  // The feed reads the log a moment after the commit.
  const end = performance.now() + 20_000
  while (performance.now() < end && !told?.includes(`id: ${newest?.id}`)) {
    await sleep(5)
    t.mock.timers.tick(15_000)
    told = (await reader.read()).value
  }
  assert.equal(told, `: still here\nafter: ${newest?.id}\nid: ${newest?.id}\n\n`)
})

testLedger('a stream tells no place before that of its reader', async ({ client, store, adminKey }, t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  // The server hears of no commit, so what it has read ends before what the second reader has.
  const app = createApp({ store: { ...store, db: { ...store.db, watch: () => () => {} } }, rateLimit: 0 })
  const headers = { authorization: `Bearer ${adminKey}`, accept: 'text/event-stream' }
  const open = async (query: string) => {
    const response = await app.fetch(new Request(`${base}/v1/events${query}`, { headers }))
    const reader = textsOf(response, t)
    await reader.read()
    return reader
  }
  await open('')
  await client.createRun({ runId: 'A' })
  const [newest] = (await client.listEvents({ order: 'desc', limit: 1 })).events
  const reader = await open(`?after=${newest?.id}`)
  t.mock.timers.tick(15_000)
  assert.equal((await reader.read()).value, ': still here\n\n')
})

const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length

for (const engine of engines) {
  test(`a server keeps 1,000 streams, 20 per key, and nothing of those that ended (${engine.name})`, async (t) => {
    const before = timers()
    const stopping = new AbortController()
    const ledger = await openLedger(t, engine, { stopping: stopping.signal })
    const newKey = async () => {
      const { secret } = await ledger.client.createKey({ name: 'k', permissions: ['read'] })
      return { authorization: `Bearer ${secret}` }
    }
    const [spare, one] = [await newKey(), await newKey()]
    const keys = [one, ...(await Promise.all(Array.from({ length: 49 }, newKey)))]
    const open = (key: typeof one) => read(ledger, t, '/v1/events', key)
    const refuse = async (key: typeof one, why: RegExp) => {
      const response = await ledger.fetch('/v1/events', { headers: { accept: 'text/event-stream', ...key } })
      assert.deepEqual([response.status, response.headers.get('retry-after')], [429, '15'])
      const { code, error } = await response.json()
      assert.equal(code, 'RATE_LIMIT_EXCEEDED')
      assert.match(error, why)
    }
    // The second round shows that all places are free again.
    for (let time = 0; time < 2; time++) {
      const streams = await Promise.all(keys.flatMap((key) => Array.from({ length: 20 }, () => open(key))))
      const taking = streams.map(({ take }) => take(1))
      await refuse(spare, /^This server already has 1000 streams open/)
      await streams.at(-1)?.cancel()
      await refuse(one, /^This key already has 20 streams open/)
      streams.push(await open(spare))
      await Promise.all(streams.map(({ cancel }) => cancel()))
      assert.deepEqual((await Promise.all(taking)).flat(), [])
    }
    assert.equal(getEventListeners(stopping.signal, 'abort').length, 1)
    await ledger.store.close()
    assert.ok(timers() <= before, `${timers() - before} timers stayed behind`)
  })
}

testLedger('the keys of one project have 200 streams together, and other keys are not affected', async (ledger, t) => {
  const { client } = ledger
  for (const slug of ['shop', 'other']) await client.createProject({ slug })
  const newKey = async (project: string | null) => {
    const { secret } = await client.createKey({ name: 'k', permissions: ['read'], project })
    return { authorization: `Bearer ${secret}` }
  }
  const ofShop = await Promise.all(Array.from({ length: 11 }, () => newKey('shop')))
  const open = (key: Record<string, string> | undefined) => read(ledger, t, '/v1/events', key)
  const streams = await Promise.all(ofShop.slice(1).flatMap((key) => Array.from({ length: 20 }, () => open(key))))
  const more = { accept: 'text/event-stream', ...ofShop[0] }
  const refused = await ledger.fetch('/v1/events', { headers: more })
  assert.equal(refused.status, 429)
  assert.match(
    ((await refused.json()) as { error: string }).error,
    /^The project 'shop' already has 200 streams open: /,
  )
  await open(await newKey('other'))
  await open({ 'x-project-id': 'shop' })
  await streams[0]?.cancel()
  await open(ofShop[0])
})

for (const engine of engines) {
  test(`streams end with the server, and are counted per key (${engine.name})`, async (t) => {
    const ledger = await openLedger(t, engine)
    const stopping = new AbortController()
    const app = createApp({ store: ledger.store, rateLimit: 0, stopping: stopping.signal })
    const fetch: Ledger['fetch'] = async (path, init) =>
      app.fetch(
        new Request(base + path, {
          ...init,
          headers: { authorization: `Bearer ${ledger.adminKey}`, ...init?.headers },
        }),
      )
    const streams = await Promise.all(Array.from({ length: 20 }, () => read({ fetch }, t)))
    const more = () => fetch('/v1/events', { headers: { accept: 'text/event-stream' } })
    assert.equal((await more()).status, 429)
    await streams[0]?.cancel()
    const again = await more()
    assert.equal(again.status, 200)
    stopping.abort()
    for (const stream of streams.slice(1)) assert.deepEqual(await stream.take(1), [])
    await again.text()
  })
}
