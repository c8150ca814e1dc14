import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freshFolder } from '../cli/folder.ts'
import { testLedger } from '../support/engines.ts'
import { freePort } from '../support/setup.ts'

testLedger(
  'the ntfy server shows what a webhook with the format plain sends, with title and link',
  async ({ client }, t) => {
    assert.equal(spawnSync('ntfy', ['--help']).status, 0, 'ntfy is missing: apt-get install ntfy')
    const address = `127.0.0.1:${await freePort()}`
    const cache = join(freshFolder(t), 'cache.db')
    const ntfy = spawn('ntfy', ['serve', '--listen-http', address, '--cache-file', cache], { stdio: 'ignore' })
    t.after(() => ntfy.kill('SIGKILL'))
    const base = `http://${address}`
    while (!(await fetch(`${base}/v1/health`).catch(() => undefined))?.ok) await wait(50)
    const { webhook } = await client.createWebhook({ url: `${base}/a-topic`, format: 'plain' })
    assert.equal((await client.testWebhook({ id: webhook.id })).delivery.error, null)
    const author = 'Zoë <zoe@example.com>'
    const { run } = await client.createRun({ title: 'Größe & <b>', author, agent: 'codex', status: 'in_progress' })
    await client.heartbeat({ runId: run.runId, activity: { state: 'waiting', tool: 'Bash' } })
    while ((await client.listWebhookDeliveries({ id: webhook.id })).deliveries.length < 2) await wait(50)
    const polled = await (await fetch(`${base}/a-topic/json?poll=1`)).text()
    const told = polled
      .trim()
      .split('\n')
      .map((one) => JSON.parse(one))
    const link = `https://ci.example/conduct/#/runs/default/${run.runId}`
    assert.deepEqual(
      told.map(({ title, message, click }) => [title, message, click]),
      [
        ['Conduct', `A test of webhook ${webhook.id} of Conduct.`, undefined],
        ['Conduct: default', `Zoë's codex waits for Bash in default/${run.runId} · Größe & <b>\n${link}`, link],
      ],
    )
  },
  { publicUrl: 'https://ci.example/conduct', webhooks: { allow: ['127.0.0.1'] } },
)
