import assert from 'node:assert/strict'
import { exportLedger } from '../src/export/export.ts'
import { type Ledger, testLedger } from './support/engines.ts'
import { openReceiver, type Received, type Respond, status, verify, verifyNow } from './support/receiver.ts'

const options = {
  publicUrl: 'https://ci.example/conduct',
  webhooks: { allow: ['127.0.0.1'], timeoutMs: 20_000 },
  warn: (error: Error) => {
    // The test's database file is removed before its ledger is closed, so the last job cannot find it.
    if (!/was deleted or replaced/.test(error.message)) throw error
  },
}

const textOf = ({ body }: Received): { text: string; message: string } => JSON.parse(body)

/** A run on which an agent works. */
async function begun({ client }: Ledger, runId: string, title = 'Log in with a passkey') {
  await client.createRun({
    runId,
    title,
    status: 'in_progress',
    agent: 'claude-code',
    author: 'Mateo <mateo@example.com>',
  })
  return {
    waits: (tool: string, target?: string) => client.heartbeat({ runId, activity: { state: 'waiting', tool, target } }),
    works: () => client.heartbeat({ runId, activity: { state: 'working' } }),
  }
}

const field = (value: unknown, kind: string) => value === undefined || typeof value === kind

/** What the receivers document to take, and how they answer. Fields that they do not know are no fault for any of them. */
const takes: Record<string, (message: Received) => [status: number, answer: string]> = {
  // https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
  slack: (message) => (textOf(message).text ? [200, 'ok'] : [400, 'no_text']),
  // https://gotify.net/api-docs: POST /message with message, title, priority and extras.
  gotify: ({ body, path }) => {
    const { message, title, priority, extras } = JSON.parse(body)
    if (!path.endsWith('/message?token=A1b2')) return [401, '{}']
    const isGood = message && field(title, 'string') && field(priority, 'number') && field(extras, 'object')
    return isGood ? [200, '{"id":1}'] : [400, '{}']
  },
  // https://developers.mattermost.com/integrate/webhooks/incoming: its priority is an object.
  mattermost: ({ body }) => {
    const { text, priority, attachments } = JSON.parse(body)
    return text && field(priority, 'object') && field(attachments, 'object') ? [200, 'ok'] : [400, 'bad']
  },
}

for (const [name, take] of Object.entries(takes)) {
  testLedger(
    `a webhook with the format text sends what ${name} takes: a sentence with a link`,
    async (ledger, t) => {
      const { client } = ledger
      const respond: Respond = (response, message) => {
        const [code, answer] = take(message)
        response.writeHead(code).end(answer)
      }
      const receiver = await openReceiver(t, respond)
      const url = receiver.url.replace('/hook', name === 'gotify' ? '/message?token=A1b2' : '/services/T0/B0/x')
      const { secret, webhook } = await client.createWebhook({ url, format: 'text' })
      const agent = await begun(ledger, 'A', 'Fix <b> & say @channel [all](http://evil.example)')
      for (let n = 0; n < 3; n++) await client.appendToRun({ runId: 'A', text: `line ${n}\n` })
      await agent.waits('Bash', 'rm -rf secret-place')
      await receiver.until(({ length }) => length === 1)
      const [first] = receiver.received
      assert.ok(first)
      verifyNow(secret, first)
      const link = ' · https://ci.example/conduct/#/runs/default/A'
      assert.equal(first.headers['content-type'], 'application/json')
      assert.deepEqual(textOf(first), {
        text: `Mateo's claude-code waits for Bash in default/A · Fix &lt;b&gt; &amp; say @\u200bchannel [all]\u200b(http://evil.example)${link}`,
        message: `Mateo's claude-code waits for Bash in default/A · Fix <b> & say @channel [all](http://evil.example)${link}`,
      })
      const { delivery } = await client.testWebhook({ id: webhook.id })
      assert.equal(delivery.error, null)
      const { deliveries } = await client.listWebhookDeliveries({ id: webhook.id })
      assert.deepEqual(
        deliveries.map(({ statusCode, error }) => [statusCode, error]),
        [
          [200, null],
          [200, null],
        ],
      )
    },
    options,
  )
}

testLedger(
  'a webhook for people says nothing of other changes, and a digest after a failure',
  async (ledger, t) => {
    const { client } = ledger
    const receiver = await openReceiver(t, status(500))
    const { webhook } = await client.createWebhook({ url: receiver.url, format: 'text', project: 'default' })
    const [a, b] = [await begun(ledger, 'A'), await begun(ledger, 'B')]
    await begun(ledger, 'C')
    await client.createSpec({ title: 'S' })
    await a.waits('Bash')
    await receiver.until(({ length }) => length === 1)
    assert.match(textOf(receiver.received[0] as Received).text, / waits for Bash in A /, 'nothing came before')
    await b.waits('Edit')
    await b.works()
    await client.updateRun({ runId: 'B', status: 'failed', failure: { code: 'TESTS', message: 'tests failed' } })
    await client.updateRun({ runId: 'C', status: 'completed' })
    receiver.respond(status(204))
    await client.updateWebhook({ id: webhook.id, enabled: true, after: 0 })
    await receiver.until((received) => /2 runs|3 runs/.test(received.at(-1)?.body ?? ''))
    const digest = '3 runs: 1 waits (A for Bash), 1 failed (B: tests failed), 1 completed'
    assert.equal(textOf(receiver.received.at(-1) as Received).message, `${digest} · https://ci.example/conduct/#/`)
  },
  options,
)

testLedger(
  'a webhook with the format plain sends text, and the headers by which ntfy shows title and link',
  async (ledger, t) => {
    const { client } = ledger
    const receiver = await openReceiver(t)
    const { secret } = await client.createWebhook({
      url: receiver.url,
      format: 'plain',
      types: ['run.waiting', 'spec.created'],
    })
    const agent = await begun(ledger, 'A', 'Größe & <Ziel>')
    await agent.waits('Bash')
    await receiver.until(({ length }) => length === 1)
    const [first] = receiver.received
    assert.ok(first)
    verify(secret, first)
    const link = 'https://ci.example/conduct/#/runs/default/A'
    assert.equal(first.body, `Mateo's claude-code waits for Bash in default/A · Größe & <Ziel>\n${link}`)
    const { title, click } = first.headers
    assert.deepEqual(
      [first.headers['content-type'], title, click],
      ['text/plain; charset=utf-8', 'Conduct: default', link],
    )
    await client.updateRun({ runId: 'A', status: 'completed' })
    await client.createSpec({ specId: 'S', title: 'Next' })
    await receiver.until(({ length }) => length === 2)
    assert.equal(receiver.received[1]?.body, 'first admin created spec default/S\nhttps://ci.example/conduct/#/')
  },
  options,
)

testLedger(
  'the address of a webhook is shown nowhere whole',
  async ({ client, fetch, store }, t) => {
    const receiver = await openReceiver(t, status(404))
    const url = (name: string) => `${receiver.url.replace('/hook', '/services')}/${name}?auth=token-of-mine`
    const made = await client.createWebhook({ url: url('secret-one'), format: 'text' })
    const { id } = made.webhook
    const shown = `${new URL(receiver.url).origin}/ser…`
    assert.equal(made.webhook.url, shown)
    const changed = await client.updateWebhook({ id, url: url('secret-two') })
    assert.deepEqual([changed.webhook.url, changed.webhook.version], [shown, 2])
    await client.testWebhook({ id })
    assert.match(receiver.received[0]?.path ?? '', /secret-two\?auth=token-of-mine/)
    const { events } = await client.listEvents({ type: ['webhook.updated'] })
    assert.deepEqual(events[0]?.changes, { url: [shown, shown] })
    await assert.rejects(
      client.createWebhook({ url: `${url('secret-3')}#x` }),
      (error: Error) => !/secret|token/.test(error.message),
    )
    const all = [
      made.webhook,
      changed,
      await client.listWebhooks(),
      await client.listWebhookDeliveries({ id }),
      await (await fetch('/v1/events?limit=100')).text(),
      await (await fetch('/v1/webhooks', { headers: { accept: 'text/csv' } })).text(),
      (await Array.fromAsync(exportLedger(store.db, { withKeys: false }))).join(''),
    ]
    assert.doesNotMatch(JSON.stringify(all), /secret-|token-of-mine/)
    const whole = (await Array.fromAsync(exportLedger(store.db, { withKeys: true }))).join('')
    assert.match(whole, /secret-two\?auth=token-of-mine/)
  },
  options,
)
