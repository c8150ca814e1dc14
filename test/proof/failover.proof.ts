import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ConductError, createClient } from '../../src/client/client.ts'
import { verify } from '../../src/verify/verify.ts'
import { openReceiver } from '../support/receiver.ts'
import { adminKey, startServer } from '../support/server.ts'
import { Cluster } from './cluster.ts'
import { type Event, readLog, requireWhole } from './log.ts'
import { size } from './size.ts'
import { clientOf, readBack, startWriters } from './writers.ts'

const backMs = 15_000
const requestMs = 35_000
const signals = ['SIGSTOP', 'SIGKILL', 'SIGINT'] as const

test('failovers to a synchronous standby under load lose nothing, and writes continue within 15 s', async (t) => {
  const cluster = await Cluster.start(t)
  const server = await startServer(t, cluster.url)
  let longest = 0
  let longestRequest = 0
  const client = createClient({
    ...{ url: server.url, key: adminKey, attempts: 1, timeout: 2 * requestMs },
    async fetch(request) {
      const began = performance.now()
      return fetch(request).finally(() => {
        longestRequest = Math.max(longestRequest, performance.now() - began)
      })
    },
  })
  for (let round = 0; round < size(1, 20); round++) {
    await cluster.renew(true)
    let asked = performance.now()
    const writers = startWriters(t, client, `failover-${round}`, ({ status }: ConductError) => status === 503)
    const acknowledge = (changes: number) => {
      const wanted = writers.acknowledged() + changes
      return writers.until(() => writers.acknowledged() >= wanted)
    }
    await acknowledge(50)
    asked = performance.now()
    await cluster.failover(signals[round % signals.length] as (typeof signals)[number])
    // A response that the old primary still owed does not show that the new one accepts writes.
    await client.createRun({}).catch(() => {})
    await acknowledge(20)
    const took = performance.now() - asked
    longest = Math.max(longest, took)
    assert(took < backMs, `writes went on after ${Math.round(took)} ms`)
    await writers.stop()
    assert(longestRequest < requestMs, `a request took ${Math.round(longestRequest)} ms`)
    await readBack(client, writers.touched)
    t.diagnostic(`${signals[round % signals.length]}: writes went on after ${Math.round(took)} ms`)
  }
  await requireWhole(client, cluster.primaryUrl)
  t.diagnostic(
    `writes went on after ${Math.round(longest)} ms at most, and no request took more than ${Math.round(longestRequest)} ms`,
  )
})

test('when a failover loses events, readers learn it, and webhooks send the events that replace them', async (t) => {
  const cluster = await Cluster.start(t)
  const receiver = await openReceiver(t)
  const server = await startServer(t, cluster.url, { CONDUCT_WEBHOOK_ALLOW: '127.0.0.1' })
  const client = clientOf(server)
  const newest = async () => (await client.listEvents({ order: 'desc', limit: 1 })).events[0] as Event
  for (let round = 0; round < size(1, 6); round++) {
    await cluster.renew(false)
    await client.createWebhook({ url: receiver.url })
    const kept = await newest()
    await cluster.cutOff()
    for (let n = 0; n < 50; n++) await client.createRun({ title: `lost ${n}` })
    const lost = await newest()
    const reader = client.follow({ after: kept.id })
    for (let told = kept.seq; told < lost.seq; ) told = (await reader.next()).value?.seq ?? told
    await receiver.until(() => receiver.events().some(({ id }) => id === lost.id))
    await cluster.failover(signals[round % signals.length] as (typeof signals)[number])
    const forked = assert.rejects(reader.next(), { code: 'LOG_FORKED' })
    for (let created = 0; created < 100; ) {
      const isDone = await client.createRun({ title: 'new' }).then(
        () => true,
        ({ status }: ConductError) =>
          status !== 503 && Promise.reject(new Error(`A write was answered with ${status}.`)),
      )
      if (isDone) created++
    }
    await forked
    assert((await newest()).seq > lost.seq)
    await assert.rejects(client.listEvents({ after: lost.id }), { code: 'LOG_FORKED' })
    const ids = (await readLog(client)).map(({ id }) => id)
    const arrived = () => new Set(receiver.events().map(({ id }) => id))
    await receiver.until(() => arrived().has(ids.at(-1) as string))
    assert.deepEqual(
      ids.slice(kept.seq).filter((id) => !arrived().has(id)),
      [],
    )
    for (const { id } of (await client.listWebhooks()).webhooks) await client.deleteWebhook({ id })
  }
  assert.deepEqual((await verify(client, [])).faults, [])
})
