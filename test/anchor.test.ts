import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import pino from 'pino'
import { createClient } from '../src/client/client.ts'
import { serve } from '../src/http/serve.ts'
import { anchorsOf } from '../src/jobs/anchor.ts'
import { sealJob } from '../src/jobs/seal.ts'
import { type Checkpoint, checkpointsIn, isSignedBy } from '../src/ledger/checkpoint.ts'
import { newSigningSecret } from '../src/ledger/webhook.ts'
import { openStore } from '../src/store/open.ts'
import { readNewest } from '../src/store/seal/checkpoint.ts'
import { createSender } from '../src/webhook/send.ts'
import { freshFolder } from './cli/folder.ts'
import { engines } from './support/engines.ts'
import { accept, openReceiver, type Received, status, verifyNow } from './support/receiver.ts'

for (const engine of engines) {
  test(`a server that stops seals the log and anchors the checkpoint (${engine.name})`, async (t) => {
    const { url } = await engine.ledger(t)
    const folder = freshFolder(t)
    const [file, copy] = [join(folder, 'anchors'), join(folder, 'copy')]
    const store = await openStore(url)
    const options = { host: '127.0.0.1', port: 0, anchorFile: file, anchorCommand: `cat >> '${copy}'` }
    const running = await serve({ ...options, store })
    const client = createClient({ url: running.url, key: store.newSecret })
    await client.createRun({ title: 'one' })
    const before = await client.getCheckpoint()
    await client.createRun({ title: 'two' })
    const { events } = await client.listEvents({})
    await running.stop()

    for (const path of [file, copy]) {
      const [checkpoint, ...others] = checkpointsIn(readFileSync(path, 'utf8'))
      assert.equal(checkpoint?.size, events.length, path)
      assert.ok(isSignedBy(checkpoint, before.verifierKey))
      assert.deepEqual(others, [])
    }
  })
}

test('a server posts each checkpoint to a webhook, signed, until the receiver has accepted it', async (t) => {
  const receiver = await openReceiver(t, status(500))
  const secret = newSigningSecret()
  const store = await openStore('sqlite::memory:')
  const webhooks = { allow: ['127.0.0.1'] }
  const anchors = { anchorWebhook: receiver.url, anchorWebhookSecret: secret }
  const job = sealJob(store.db, store.now, anchorsOf(anchors, createSender(webhooks), store.now))
  await assert.rejects(job.step(5), { message: /The anchor webhook at 127\.0\.0\.1:\d+ failed: responded with 500\./ })
  receiver.respond(accept)
  await job.step(5)
  await job.step(5)

  assert.equal(receiver.received.length, 2, 'what was accepted is not sent again')
  const [first, second] = receiver.received as [Received, Received]
  assert.equal(first.headers['webhook-id'], second.headers['webhook-id'])
  const { type, data } = verifyNow(secret, second) as { type: string; data: Checkpoint }
  const [checkpoint] = checkpointsIn(data.note)
  assert.ok(checkpoint)
  assert.deepEqual([type, data.origin, data.size], ['checkpoint', checkpoint.origin, checkpoint.size])
  assert.equal((await readNewest(store.db))?.note, data.note)
  await store.close()
})

test('a server logs an error when webhooks may not reach the address for its checkpoints', async (t) => {
  const receiver = await openReceiver(t)
  const lines: string[] = []
  const log = pino({}, { write: (line: string) => void lines.push(line) })
  const store = await openStore('sqlite::memory:')
  const anchors = { anchorWebhook: receiver.url, anchorWebhookSecret: newSigningSecret() }
  const running = await serve({ host: '127.0.0.1', port: 0, ...anchors, store, log })
  await running.stop()
  assert.equal(receiver.connections(), 0)
  assert.match(lines.join(''), /anchor webhook .* 127\.0\.0\.1 is not a public address.*CONDUCT_WEBHOOK_ALLOW/)
})

test('a server that cannot anchor a checkpoint logs an error, and still stops', async (t) => {
  const lines: string[] = []
  const log = pino({}, { write: (line: string) => void lines.push(line) })
  const store = await openStore('sqlite::memory:')
  const file = join(freshFolder(t), 'missing', 'anchors')
  const running = await serve({ host: '127.0.0.1', port: 0, anchorFile: file, anchorCommand: 'exit 3', store, log })
  await running.stop()
  assert.ok(!existsSync(file))
  assert.match(lines.join(''), /not appended to .*missing.*The anchor command 'exit 3' ended with 3\./)
})
