import { type Recorder, walk } from './transcript.ts'

/** Webhooks with right and wrong input. No job runs beside a script, so only tests are sent, and none leaves the machine. */
export async function webhooks({ call, wait }: Recorder) {
  const urls = [
    'http://localhost:9/',
    'HTTP://2130706433/a b?c',
    'https://[::ffff:7f00:1]/',
    'ftp://x/',
    'x',
    '',
    7,
    null,
  ]
  for (const url of [...urls, 'https://a:b@example.com/', 'https://example.com/#x', `https://x/${'y'.repeat(2048)}`]) {
    await call('createWebhook', { url })
    wait(1)
  }
  const url = 'http://127.0.0.1:9/'
  for (const types of [['run.created'], ['run.created', 'run.created'], ['nope'], 'run.created', []]) {
    await call('createWebhook', { url, types })
  }
  for (const after of [0, 3, 1e9, -1, '1']) await call('createWebhook', { url, after })
  for (const project of ['shop', null, 'missing', '']) await call('createWebhook', { url, project })
  for (const by of [{ project: 'shop' }, { project: 'missing' }]) await call('createWebhook', { url }, by)
  await walk(call, 'listWebhooks', { limit: 3, order: 'asc' })
  const changes = [
    {},
    { url },
    { types: ['spec.created'] },
    { after: 0 },
    { after: 1e9 },
    { enabled: false },
    { nope: 1 },
  ]
  for (const change of [
    ...changes,
    { enabled: false },
    { enabled: true },
    { types: [] },
    { after: 2, enabled: true },
  ]) {
    wait(1)
    await call('updateWebhook', { id: 1, ...change })
  }
  for (const ifVersion of ['"1-2"', '"1-6"', '*']) await call('updateWebhook', { id: 1, ifVersion, types: [] })
  for (const overlapSeconds of [undefined, 0, 60, 1e9, 'x']) {
    await call('rotateWebhookSecret', { id: 1, overlapSeconds })
  }
  wait(61_000)
  for (const id of [1, 2, 3, 9999, 0]) {
    await call('getWebhook', { id })
    await call('testWebhook', { id })
    await call('rotateWebhookSecret', { id })
    wait(1)
  }
  await call('updateWebhook', { id: 9999, enabled: false })
  for (const id of [1, 9999]) await call('listWebhookDeliveries', { id, limit: 1 })
  for (const id of [1, 1, 9999]) await call('deleteWebhook', { id })
  await call('listWebhooks', { cursor: 'nonsense' })
  await call('listEvents', { type: ['webhook.created', 'webhook.updated', 'webhook.deleted'], limit: 100 })
}
