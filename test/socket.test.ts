import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Writable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pino from 'pino'
import { createClient } from '../src/client/client.ts'
import { addressOf, names } from '../src/contract/paths.ts'
import { openStore } from '../src/operations/open.ts'
import { type Running, type ServeOptions, serve } from '../src/server/serve.ts'
import { adminKey } from './support/server.ts'

/** Starts a server in this process, on a free port. */
async function listen(t: TestContext, options: Partial<ServeOptions> = {}): Promise<Running> {
  const store = await openStore('sqlite::memory:', { adminKey })
  const running = await serve({ store, host: '127.0.0.1', port: 0, rateLimit: 0, ...options })
  t.after(() => running.stop())
  return running
}

/** A logger, and the lines that it has written. */
function logged() {
  const lines: string[] = []
  const sink = new Writable({
    write(chunk, _, done) {
      lines.push(String(chunk))
      done()
    },
  })
  return { lines, logger: pino({ level: 'warn' }, sink) }
}

interface Raw {
  socket: Socket
  /** Everything received, once it matches or the connection is closed. */
  until(pattern: RegExp): Promise<string>
  closed: Promise<void>
}

function open(t: TestContext, { port }: Pick<Running, 'port'>): Raw {
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  let text = ''
  let heard = () => {}
  socket.on('data', (chunk) => {
    text += chunk
    heard()
  })
  // The test ignores errors of data that it still sends when the server closes.
  socket.on('error', () => {})
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const until = (pattern: RegExp) =>
    Promise.race([
      new Promise<void>((resolve) => {
        heard = () => pattern.test(text) && resolve()
        heard()
      }),
      closed,
    ]).then(() => text)
  return { socket, until, closed }
}

const head = (method: string, path: string, ...headers: string[]) =>
  [`${method} ${path} HTTP/1.1`, 'Host: localhost', `Authorization: Bearer ${adminKey}`, ...headers, '', ''].join(
    '\r\n',
  )

const jsonType = { 'content-type': 'application/json' }
const json = 'Content-Type: application/json'

test('the server refuses a body of 3 MiB before it is sent, and closes the connection', async (t) => {
  const { socket, until, closed } = open(t, await listen(t))
  socket.write(head('POST', '/conduct/v1/runs', json, `Content-Length: ${3 * 1_048_576}`))
  const answer = await until(/"code":"PAYLOAD_TOO_LARGE"/)
  assert.match(answer, /^HTTP\/1\.1 413 /)
  assert.match(answer, /^connection: close\r$/im)
  await closed
})

test('without a key, no body is read at any address', async (t) => {
  const running = await listen(t)
  const ways = names.map(addressOf).filter(({ method }) => method !== 'GET')
  for (const { method, path } of [...ways, { method: 'POST', path: '/mcp' }, { method: 'PUT', path: '/v1/nothing' }]) {
    for (const size of ['Content-Length: 1000000', 'Transfer-Encoding: chunked']) {
      const { socket, until } = open(t, running)
      const address = `/conduct${path.replace(/:\w+/g, '1')}`
      socket.write([`${method} ${address} HTTP/1.1`, 'Host: localhost', json, size, '', ''].join('\r\n'))
      // A login may send a small body.
      if (size.startsWith('Transfer')) socket.write(`5dc\r\n${'x'.repeat(1500)}\r\n`)
      assert.match(await until(/"code":/), /^HTTP\/1\.1 4(01|13|29) /, `${method} ${address}`)
      socket.destroy()
    }
  }
})

test('a body of undeclared length is refused once it exceeds the limit', async (t) => {
  const { socket, until, closed } = open(t, await listen(t))
  socket.write(head('POST', '/conduct/v1/runs', json, 'Transfer-Encoding: chunked'))
  const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`
  for (let sent = 0; sent <= 2 * 1_048_576; sent += 65_536) socket.write(chunk)
  assert.match(await until(/"code":"PAYLOAD_TOO_LARGE"/), /^HTTP\/1\.1 413 /)
  await closed
})

test('a request that its client aborts is not an error of the server', async (t) => {
  const log = logged()
  const { port } = await listen(t, { log: log.logger })
  const metrics = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  for (const [path, size] of [
    ['/conduct/v1/runs', 'Content-Length: 1000'],
    ['/conduct/v1/runs', 'Transfer-Encoding: chunked'],
    ['/conduct/v1/auth/session', 'Content-Length: 1000'],
    ['/conduct/mcp', 'Content-Length: 1000'],
  ] as const) {
    const { socket } = open(t, { port })
    socket.write(head('POST', path, json, size), () => setTimeout(() => socket.destroy(), 50))
  }
  const ended = /_total\{operation="(createRun|createSession|mcp)",status="499"\} [12]\n/g
  for (;;) {
    const text = await metrics()
    assert.doesNotMatch(text, /status="5/)
    if (text.match(ended)?.length === 3) break
    await sleep(10)
  }
  assert.deepEqual(log.lines, [])
})

test('a client that does not read a response or a stream is disconnected', async (t) => {
  const running = await listen(t, { stallMs: 300 })
  const client = createClient({ url: running.url, key: adminKey })
  await client.createRun({ runId: 'RUN-001', content: 'x'.repeat(1_000_000) })
  const wide = { links: Array.from({ length: 32 }, () => ({ rel: 'ci', href: 'https://x/'.padEnd(2000, 'x') })) }
  for (let n = 0; n < 100; n++) await client.updateRun({ runId: 'RUN-001', ...wide, title: `${n}` })
  for (const [path, accept, times] of [
    ['/conduct/v1/runs/RUN-001', 'application/json', 20],
    ['/conduct/v1/events?after=0', 'text/event-stream', 1],
  ] as const) {
    const socket = connect(running.port, '127.0.0.1').pause()
    t.after(() => socket.destroy())
    socket.write(head('GET', path, `Accept: ${accept}`).repeat(times))
    await once(socket, 'readable')
    // A client that does not read does not see the end of the connection, so only the server's socket goes away.
    const both = sockets()
    while (sockets() === both) await sleep(10)
  }
})

/** The open sockets of this process, which is both client and server. */
const sockets = () => process.getActiveResourcesInfo().filter((resource) => resource === 'TCPSocketWrap').length

test('a connection that sends requests without end is closed', async (t) => {
  const running = await listen(t)
  const { socket, closed } = open(t, running)
  socket.write(head('GET', '/conduct/v1/runs').repeat(1000))
  await closed
  const { socket: other, until } = open(t, running)
  other.write(head('GET', '/conduct/v1/auth/me').repeat(50) + head('GET', '/conduct/v1/last', 'Connection: close'))
  const answers = await until(/(?!)/)
  assert.equal(answers.match(/HTTP\/1\.1 200/g)?.length, 50)
})

test('a body of another type is refused before it is sent', async (t) => {
  const { socket, until } = open(t, await listen(t))
  socket.write(head('POST', '/conduct/v1/runs', 'Content-Type: text/plain', 'Content-Length: 1000000'))
  assert.match(await until(/"code":"UNSUPPORTED_MEDIA_TYPE"/), /^HTTP\/1\.1 415 /)
})

test('odd request lines get a response, and the server continues', async (t) => {
  const running = await listen(t)
  const lines = [
    '/conduct/v1/runs/%',
    '/conduct/v1/runs/%00',
    '//conduct/v1/runs',
    '/conduct/../v1',
    'http://x/conduct/v1/runs',
    '*',
    '/?%',
    '/conduct/v1/runs/%ff',
  ]
  for (const line of lines) {
    for (const method of ['GET', 'PATCH', 'OPTIONS']) {
      const { socket, until } = open(t, running)
      socket.write(head(method, line, json, 'Content-Length: 2', 'Connection: close'))
      socket.write('{}')
      assert.match(await until(/(?!)/), /^HTTP\/1\.1 [24]\d\d /, `${method} ${line}`)
    }
  }
  const response = await fetch(`${running.url}/v1/auth/me`, {
    method: 'HEAD',
    headers: { authorization: `Bearer ${adminKey}` },
  })
  assert.equal(response.status, 200)
  assert.equal(await response.text(), '')
})

test('failed authentications from an address are limited, and valid keys from it continue to work', async (t) => {
  const { url } = await listen(t)
  const ask = (key: string) => fetch(`${url}/v1/auth/me`, { headers: { authorization: `Bearer ${key}` } })
  const wrong = `sk_admin_${'x'.repeat(43)}`
  const statuses: number[] = []
  for (let attempt = 0; attempt < 80; attempt++) statuses.push((await ask(wrong)).status)
  assert.equal(statuses.indexOf(429), 60)
  assert.ok(statuses.slice(60).every((status) => status === 429))
  const refused = await ask(wrong)
  assert.ok(Number(refused.headers.get('retry-after')) >= 1)
  assert.equal(((await refused.json()) as { code: string }).code, 'RATE_LIMIT_EXCEEDED')
  assert.equal((await ask(adminKey)).status, 200)
  const logIn = (key: string) =>
    fetch(`${url}/v1/auth/session`, {
      method: 'POST',
      headers: jsonType,
      body: JSON.stringify({ key }),
    })
  assert.deepEqual([(await logIn(wrong)).status, (await logIn(adminKey)).status], [429, 201])
  for (const init of [{ body: '{' }, { body: '{"key":1}' }, { body: '{"x":1}' }, { body: 'x'.repeat(2000) }]) {
    const malformed = await fetch(`${url}/v1/auth/session`, { method: 'POST', headers: jsonType, ...init })
    assert.equal(malformed.status, 429, 'what no login could be is a failed one')
  }
  const forwarded = await fetch(`${url}/v1/auth/me`, {
    headers: { authorization: `Bearer ${wrong}`, 'x-forwarded-for': '10.0.0.1' },
  })
  assert.equal(forwarded.status, 429, 'a header must not give a caller another address')
})

test('a request without a key or a session is no failed authentication, and one with a wrong session is', async (t) => {
  const { url, port } = await listen(t)
  const ask = async (path: string, headers: Record<string, string> = {}) =>
    (await fetch(url + path, { headers: { ...headers } })).status
  for (let attempt = 0; attempt < 70; attempt++) {
    assert.equal(await ask('/v1/auth/me'), 401)
    assert.equal(await ask('/v1/nothing', { cookie: 'of=another page' }), 401)
  }
  const session = { cookie: `conduct_session_${port}=guessed`, 'x-session-token': 'guessed' }
  for (let attempt = 0; attempt < 60; attempt++) assert.equal(await ask('/v1/auth/me', session), 401)
  assert.deepEqual([await ask('/v1/auth/me', session), await ask('/v1/auth/me')], [429, 401])
})
