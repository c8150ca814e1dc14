import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { signedHeaders } from '../../src/nouns/webhook/rules.ts'
import { createGuard, type HostAddress } from '../../src/server/webhook/guard.ts'
import { createSender } from '../../src/server/webhook/send.ts'
import { openReceiver, status } from '../support/receiver.ts'

/** Listens on every address of this machine, and counts connections. */
async function openTrap(t: TestContext) {
  let connections = 0
  const server = createServer((socket) => {
    connections++
    socket.destroy()
  })
  server.listen(0, '::')
  await once(server, 'listening')
  t.after(() => server.close())
  return { port: (server.address() as AddressInfo).port, connections: () => connections }
}

/** Hosts that lead to this machine or its network, in the forms that a URL allows. */
const literals = [
  ...[
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '0x7f.1',
    '0x7f000001',
    '2130706433',
    '017700000001',
    '0177.0.0.1',
    '127.0.0.1.',
  ],
  ...[
    '0x7f.0x0.0x0.0x1',
    '127.255.255.254',
    '0',
    '0.0.0.0',
    '0x0',
    '00',
    '%31%32%37.0.0.1',
    '①②⑦.0.0.1',
    '127。0。0。1',
  ],
  ...[
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '168.63.129.16',
    '[::ffff:168.63.129.16]',
    '2852039166',
    '0xa9fea9fe',
  ],
  ...['100.64.0.1', '192.0.0.192', '192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.9', '224.0.0.1', '240.0.0.1'],
  ...[
    '255.255.255.255',
    '[::]',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[::127.0.0.1]',
  ],
  ...[
    '[::ffff:10.0.0.1]',
    '[::ffff:a9fe:a9fe]',
    '[::ffff:0:127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[64:ff9b::a9fe:a9fe]',
  ],
  ...['[64:ff9b:1::7f00:1]', '[2002:7f00:1::]', '[2002:a9fe:a9fe::1]', '[2001::7f00:1]', '[fe80::1]', '[fec0::1]'],
  ...['[fc00::1]', '[fd00:ec2::254]', '[ff02::1]', '[100::1]', '[2001:db8::1]', '[5f00::1]', '[4000::1]'],
]
const names = ['localhost', 'LOCALHOST', 'localhost.', 'ip6-localhost', 'a.localhost']

test(`no connection to ${literals.length + names.length} forms of addresses that are not public`, async (t) => {
  const trap = await openTrap(t)
  const send = createSender({ timeoutMs: 30_000 })
  assert.ok(literals.length + names.length >= 60)
  for (const host of [...literals, ...names]) {
    for (const scheme of ['http', 'https']) {
      const url = `${scheme}://${host}:${trap.port}/`
      const { error, statusCode } = await send({ url, headers: {}, body: '{}' })
      assert.equal(statusCode, undefined, url)
      assert.match(error ?? '', /is not a public address|Invalid URL|host name/, url)
    }
  }
  assert.equal(trap.connections(), 0)
  // Shows that the trap counts connections.
  await createSender({ allow: ['127.0.0.1'] })({ url: `http://127.1:${trap.port}/`, headers: {}, body: '{}' })
  assert.equal(trap.connections(), 1)
  t.diagnostic(`${2 * (literals.length + names.length)} URLs, 0 connections`)
})

/** A resolver that returns each answer in turn, and then the last one again. */
function scripted(...answers: string[][]) {
  let asked = 0
  return async (): Promise<HostAddress[]> => {
    const answer = answers[Math.min(asked++, answers.length - 1)] ?? []
    return answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  }
}

test('no connection to a name with an address that is not public, at first, later or among others', async (t) => {
  const trap = await openTrap(t)
  const url = `http://rebind.example:${trap.port}/`
  const message = { url, headers: {}, body: '{}' }
  for (const answers of [
    ['127.0.0.1'],
    ['::1'],
    ['::ffff:127.0.0.1'],
    ['10.0.0.1'],
    ['93.184.216.34', '127.0.0.1'],
    ['fe80::1%lo'],
  ]) {
    const { error } = await createSender({ resolve: scripted(answers) })(message)
    assert.match(error ?? '', /^rebind\.example is not a public address/, answers.join())
  }
  // The socket gets the address that was checked, so the sender never asks for the second answer.
  const rebinding = createSender({
    resolve: scripted(['192.0.2.1'], ['127.0.0.1']),
    allow: ['192.0.2.0/24'],
    timeoutMs: 300,
  })
  assert.ok((await rebinding(message)).error)
  assert.equal((await createSender({ resolve: scripted([]) })(message)).error, 'rebind.example has no address')
  assert.equal(trap.connections(), 0)
})

test('a redirect, a user and a fragment cause no connection', async (t) => {
  const trap = await openTrap(t)
  const send = createSender({ allow: ['127.0.0.0/8'] })
  for (const code of [301, 302, 303, 307, 308]) {
    const receiver = await openReceiver(t, status(code, { location: `http://127.0.0.1:${trap.port}/` }))
    const { error } = await send({ url: receiver.url, headers: {}, body: '{"data":{}}' })
    assert.equal(error, `responded with ${code}: redirects are not followed`)
    assert.equal(receiver.connections(), 1)
  }
  const confusing = createSender({ allow: ['trusted.example'] })
  for (const url of [
    `http://trusted.example@127.0.0.1:${trap.port}/`,
    `http://127.0.0.1:${trap.port}/#@trusted.example`,
  ]) {
    assert.match(
      (await confusing({ url, headers: {}, body: '{}' })).error ?? '',
      /^127\.0\.0\.1 is not a public address/,
    )
  }
  assert.equal(trap.connections(), 0)
})

test('public addresses are accepted, and others if they are allowed', () => {
  const guard = createGuard(['hooks.internal', '10.1.0.0/16', '192.168.0.7', 'fd00::/8'])
  for (const address of [
    '93.184.216.34',
    '8.8.8.8',
    '2606:4700::1111',
    '10.1.2.3',
    '::ffff:10.1.2.3',
    '192.168.0.7',
    'fd00::1',
  ]) {
    assert.equal(guard(address, 'name.example'), undefined, address)
  }
  assert.equal(guard('127.0.0.1', 'hooks.internal'), undefined)
  for (const address of ['10.2.0.1', '192.168.0.8', '127.0.0.1', '::1', 'nonsense', '']) {
    assert.match(guard(address, 'hooks.internal.example') ?? '', /is not a public address/, address)
  }
})

test('the sender gives up in time on a slow, endless, broken or silent receiver', async (t) => {
  const send = createSender({ allow: ['127.0.0.1'], timeoutMs: 1_500 })
  const sendPatiently = createSender({ allow: ['127.0.0.1'], timeoutMs: 10_000 })
  const message = (url: string) => ({
    url,
    headers: signedHeaders('msg_1', '2026-01-31T09:30:00Z', '{}', []),
    body: '{"data":{}}',
  })
  const silent = await openReceiver(t, () => {})
  assert.equal((await send(message(silent.url))).error, 'no response within 1.5 s')
  const broken = await openReceiver(t, (response) => response.destroy())
  assert.equal((await sendPatiently(message(broken.url))).error, 'closed the connection without a response')
  const endless = await openReceiver(t, (response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write('x'.repeat(100_000)), 1)
    response.on('close', () => clearInterval(timer))
  })
  const { error, statusCode, durationMs } = await sendPatiently(message(endless.url))
  assert.deepEqual([error, statusCode], [undefined, 200])
  assert.ok(durationMs < 5_000, `${durationMs} ms`)
  const dripping = await openReceiver(t, (response) => {
    const timer = setInterval(() => response.writeProcessing(), 50)
    response.on('close', () => clearInterval(timer))
  })
  assert.equal((await send(message(dripping.url))).error, 'no response within 1.5 s')
  const stopped = new AbortController()
  const cut = send(message(silent.url), stopped.signal)
  stopped.abort()
  assert.ok((await cut).error)
})
