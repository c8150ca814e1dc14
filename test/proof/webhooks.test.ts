import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client } from '../../src/client/client.ts'
import { accept, hang, openReceiver, type Receiver, type Respond, status, verifyNow } from '../support/receiver.ts'
import { startServer } from '../support/server.ts'
import { prove } from './prove.ts'
import { size } from './size.ts'
import { clientOf, isCutOff, startWriters } from './writers.ts'

const env = { CONDUCT_WEBHOOK_ALLOW: '127.0.0.1' }

/** Accepts a message after some time. */
const slow: Respond = (response) => setTimeout(() => accept(response, undefined as never), 40)

/**
 * Checks what a receiver has received since the last call. Throws if an event is missing, or a message is not signed.
 * Standard Webhooks accepts a message for five minutes, so call `look` in time.
 */
function inspect({ received }: Receiver, secret: string) {
  let looked = 0
  let seen = 0
  let repeated = 0
  return {
    look() {
      for (const message of received.slice(looked)) {
        looked++
        verifyNow(secret, message)
        for (const { seq } of message.events) {
          if (seq <= seen) repeated++
          else assert.equal(seq, ++seen, 'an event was passed over')
        }
      }
    },
    seen: () => seen,
    repeated: () => repeated,
  }
}

const lastSeq = async (client: Client) => (await client.listEvents({ order: 'desc', limit: 1 })).events[0]?.seq ?? 0

prove('every event reaches each webhook at least once and in order, despite kill -9', async (t, url) => {
  const receivers = await Promise.all([openReceiver(t), openReceiver(t, slow)])
  const failing = await Promise.all([openReceiver(t, hang), openReceiver(t, status(500)), openReceiver(t, status(410))])
  let server = await startServer(t, url, env)
  const inspectors: ReturnType<typeof inspect>[] = []
  for (const receiver of receivers) {
    const { secret } = await clientOf(server).createWebhook({ url: receiver.url, after: 0 })
    inspectors.push(inspect(receiver, secret))
  }
  for (const receiver of failing) await clientOf(server).createWebhook({ url: receiver.url, after: 0 })
  const kills = size(1, 100)
  for (let kill = 1; kill <= kills; kill++) {
    const writers = startWriters(t, clientOf(server), `kill-${kill}`, isCutOff, 4)
    const before = receivers.map(({ received }) => received.length)
    // The new server can send only after the lease of the killed one has expired.
    await Promise.all(receivers.map((receiver, n) => receiver.until((all) => all.length > (before[n] ?? 0) + 1)))
    await sleep(Math.random() * 50)
    await server.end('SIGKILL')
    await writers.stop()
    for (const { look } of inspectors) look()
    server = await startServer(t, url, env)
  }
  const last = await lastSeq(clientOf(server))
  await Promise.all(receivers.map((receiver) => receiver.until(() => (receiver.events().at(-1)?.seq ?? 0) >= last)))
  for (const { look, seen } of inspectors) {
    look()
    assert.ok(seen() >= last, `the last event that arrived is ${seen()} of ${last}`)
  }
  const repeated = inspectors.map((one) => one.repeated())
  const reasons = async () =>
    (await clientOf(server).listWebhooks({ order: 'asc' })).webhooks.map(({ disabledReason }) => disabledReason)
  // The killed server may still have leased the webhook whose receiver is gone.
  while ((await reasons()).at(-1) === null) await sleep(100)
  assert.deepEqual(await reasons(), [null, null, null, null, 'gone'])
  assert.equal(await server.end('SIGTERM'), 0)
  t.diagnostic(`${kills} kills, ${last} events to 2 webhooks; ${repeated.join(' and ')} arrived again, none is missing`)
})

prove('two servers share webhooks: one sends to a webhook at a time, and another takes over', async (t, url) => {
  let atOnce = 0
  let most = 0
  const receiver = await openReceiver(t, (response) => {
    most = Math.max(most, ++atOnce)
    setTimeout(() => {
      atOnce--
      response.writeHead(204).end()
    }, 30)
  })
  const servers = [await startServer(t, url, env), await startServer(t, url, env)]
  const [first, second] = servers.map(clientOf) as [Client, Client]
  const { secret } = await first.createWebhook({ url: receiver.url, after: 0 })
  for (let n = 0; n < size(40, 400); n++) await (n % 2 ? first : second).createRun({ title: `run ${n}` })
  await servers[0]?.end('SIGKILL')
  for (let n = 0; n < 10; n++) await second.createRun({ title: `later ${n}` })
  const last = await lastSeq(second)
  await receiver.until(() => (receiver.events().at(-1)?.seq ?? 0) >= last)
  const { look, seen } = inspect(receiver, secret)
  look()
  assert.ok(seen() >= last)
  assert.equal(most, 1, 'batches were under way at once')
})
