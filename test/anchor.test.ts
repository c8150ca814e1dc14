import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import pino from 'pino'
import { createClient } from '../src/client/client.ts'
import { localActor } from '../src/contract/actor.ts'
import { readNewest } from '../src/log/seal/checkpoint.ts'
import { type Checkpoint, checkpointsIn, isSignedBy } from '../src/log/seal/signed-note.ts'
import { newSigningSecret } from '../src/nouns/webhook/rules.ts'
import { openStore } from '../src/operations/open.ts'
import { createApp } from '../src/server/app.ts'
import { anchorsOf, sealJob } from '../src/server/jobs/seal.ts'
import { serve } from '../src/server/serve.ts'
import { createSender } from '../src/server/webhook/send.ts'
import { verify } from '../src/verify/verify.ts'
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
      const read = () => checkpointsIn(readFileSync(path, 'utf8'))
      // The server does not wait long for a command.
      await t.waitFor(() => assert.ok(read().length > 0), { timeout: 20_000 })
      const [checkpoint, ...others] = read()
      assert.equal(checkpoint?.size, events.length, path)
      assert.ok(isSignedBy(checkpoint, before.verifierKey))
      assert.deepEqual(others, [])
    }
  })
}

/** A ledger that anchors new checkpoints in `file`, and verifies itself against them. */
async function anchoring(t: TestContext, file: string) {
  const store = await openStore('sqlite::memory:', { firstKey: false })
  t.after(() => store.close())
  const app = createApp({ store, rateLimit: 0, actor: localActor })
  const client = createClient({ url: 'http://localhost/conduct', fetch: (request) => app.fetch(request) })
  const send = () => assert.fail('Nothing is sent.')
  const job = sealJob(store.db, store.now, anchorsOf({ anchorFile: file }, send, store.now))
  return {
    async anchor() {
      await client.createRun({})
      while (await job.step(5));
    },
    async verified() {
      const { anchors, faults } = await verify(client, checkpointsIn(readFileSync(file, 'utf8')))
      return { anchors, faults }
    },
  }
}

test('a checkpoint begins on its own line, whatever a killed server has left in the file', async (t) => {
  const file = join(freshFolder(t), 'anchors')
  writeFileSync(file, 'conduct/half')
  const { anchor, verified } = await anchoring(t, file)
  for (let n = 0; n < 2; n++) await anchor()
  assert.deepEqual(await verified(), { anchors: 2, faults: [] })
})

test('a checkpoint that a full disk cuts off is removed from the file, and the next one is whole', async (t) => {
  // Unmounted before `freshFolder` removes it: hooks run in this order.
  t.after(() => spawnSync('umount', ['--lazy', folder]))
  const folder = freshFolder(t)
  const mount = (options: string) =>
    spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'conduct-test', folder]).status === 0
  if (!mount('size=4k')) return t.skip('This user may not mount a file system.')
  const { anchor, verified } = await anchoring(t, join(folder, 'anchors'))
  let count = 0
  const fill = async () => {
    for (;;) {
      await anchor()
      count++
    }
  }
  await assert.rejects(fill, /not appended to .*ENOSPC/)
  assert.deepEqual(await verified(), { anchors: count, faults: [] })
  assert.ok(mount('remount,size=64k'))
  await anchor()
  assert.deepEqual(await verified(), { anchors: count + 1, faults: [] })
})

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
  const told = /anchor webhook .* 127\.0\.0\.1 is not a public address.*CONDUCT_WEBHOOK_ALLOW/
  await t.waitFor(() => assert.match(lines.join(''), told), { timeout: 20_000 })
})

test('a server that cannot anchor a checkpoint logs an error, and still stops', async (t) => {
  const lines: string[] = []
  const log = pino({}, { write: (line: string) => void lines.push(line) })
  const store = await openStore('sqlite::memory:')
  const file = join(freshFolder(t), 'missing', 'anchors')
  const running = await serve({ host: '127.0.0.1', port: 0, anchorFile: file, anchorCommand: 'exit 3', store, log })
  await running.stop()
  assert.ok(!existsSync(file))
  const told = /not appended to .*missing.*The anchor command 'exit 3' ended with 3\./
  await t.waitFor(() => assert.match(lines.join(''), told), { timeout: 20_000 })
})
