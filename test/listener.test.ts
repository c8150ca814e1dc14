import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '../src/client/client.ts'
import { size } from './proof/size.ts'
import { engines } from './support/engines.ts'
import fc from './support/random.ts'
import { adminKey, openServer, startServer } from './support/server.ts'

const key = `Authorization: Bearer ${adminKey}`

/** Sends bytes, and returns all that comes back until the server closes the connection, or is silent for that long. */
async function send(port: number, bytes: string, silentMs = 20_000): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
  })
  socket.on('error', () => {})
  socket.setTimeout(silentMs, () => socket.destroy())
  socket.write(bytes, 'latin1')
  await once(socket, 'close')
  return text
}

const ask = (port: number, head: string[], body = '') => send(port, [...head, '', body].join('\r\n'))

test('a request for an address that is no URL is refused with the address', async (t) => {
  const { port } = await openServer(t)
  const requests: [target: string, host: string][] = [
    ['/livez', 'a/b'],
    ['/livez', 'user@a'],
    ['/livez', 'a:99999'],
    ['/livez', 'a b'],
    ['/conduct\\v1/runs', 'a'],
    ['/conduct/../livez', 'a'],
    ['/conduct/x%2fy/../../livez', 'a'],
    ['/conduct/x%2fy/%2E./.%2e/livez?q', 'a'],
    ['/conduct/.', 'a'],
    ['http://a/conduct/../livez', 'a'],
    ['ftp://a/livez', 'a'],
    ['http://u:p@a/conduct/mcp', 'a'],
    ['*', 'a'],
  ]
  for (const [target, host] of requests) {
    const text = await ask(port, [`OPTIONS ${target} HTTP/1.1`, `Host: ${host}`, 'Connection: close'])
    assert.match(text, /^HTTP\/1\.1 400 Bad Request\r\n.*content-type: application\/json\r\n/s, text)
    const { error, code } = JSON.parse(text.slice(text.indexOf('{')))
    assert.equal(code, 'BAD_REQUEST')
    assert.ok(error.includes(`'${target}'`) && error.includes(`'${host}'`), error)
  }
})

test('an address with a host, of IPv6 or without a host leads to its path', async (t) => {
  const { port } = await openServer(t)
  for (const head of [
    ['GET http://elsewhere/livez HTTP/1.1', 'Host: a'],
    ['GET /livez?file=../.. HTTP/1.1', 'Host: a'],
    ['GET /livez HTTP/1.1', 'Host: [::1]:3000'],
    ['GET /livez HTTP/1.0'],
  ]) {
    assert.match(await ask(port, [...head, 'Connection: close']), /^HTTP\/1\.1 200 OK\r\n/, head.join())
  }
  assert.match(await ask(port, ['GET //livez HTTP/1.1', 'Host: a', 'Connection: close']), /^HTTP\/1\.1 404 /)
})

test('a second header of the same name is not ignored', async (t) => {
  const { port } = await openServer(t)
  const get = (...headers: string[]) =>
    ask(port, ['GET /conduct/v1/runs HTTP/1.1', 'Host: a', 'Connection: close', ...headers])
  assert.match(await get(key), /^HTTP\/1\.1 200 /)
  assert.match(await get(key, 'Authorization: Bearer other'), /^HTTP\/1\.1 401 /)
  assert.match(await get(key, 'X-Project-Id: default', 'X-Project-Id: b'), /no project 'default, b'/)
})

test('a response has a length, and comes before the rest of a body that nobody reads', async (t) => {
  const { port } = await openServer(t)
  const post = ['POST /conduct/v1/runs HTTP/1.1', 'Host: a', 'Content-Type: application/json']
  const begun = performance.now()
  const refused = await ask(port, [...post, 'Content-Length: 1000'], '{"title":')
  assert.match(refused, /^HTTP\/1\.1 401 .*\r\ncontent-length: \d+\r\n.*UNAUTHORIZED/s)
  const tooLong = await ask(port, [...post, key, 'Content-Length: 10000000'], '{"title":')
  assert.match(tooLong, /^HTTP\/1\.1 413 .*PAYLOAD_TOO_LARGE/s)
  // Not only after the 30 s that a client has for its request.
  assert.ok(performance.now() - begun < 15_000)
})

test('a connection stays open if the rest of an unread body comes soon after the response', async (t) => {
  const { port } = await openServer(t)
  /** The first lines of the responses on one connection. */
  const respond = async () => {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8')
    t.after(() => socket.destroy())
    socket.on('error', () => {})
    const closed = new Promise((resolve) => socket.once('close', resolve))
    const heard = () => Promise.race([new Promise((resolve) => socket.once('data', resolve)), closed])
    const responses: string[] = []
    socket.on('data', (chunk) => responses.push(...(String(chunk).match(/^HTTP\/1\.1 \d+/gm) ?? [])))
    socket.write(
      'POST /conduct/v1/runs HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n',
    )
    await heard()
    socket.write('{}')
    // Longer than the server waits for the rest of a body.
    await sleep(700)
    socket.write('GET /livez HTTP/1.1\r\nHost: a\r\n\r\n')
    await heard()
    return responses
  }
  let responses: string[] = []
  // On a busy machine, the rest may come too late.
  for (let tries = 0; responses.length < 2 && tries < 3; tries++) responses = await respond()
  assert.deepEqual(responses, ['HTTP/1.1 401', 'HTTP/1.1 200'])
})

test('a body in pieces is read, and one that is cut off changes nothing', async (t) => {
  const { port, url } = await openServer(t)
  const post = ['POST /conduct/v1/runs HTTP/1.1', 'Host: a', key, 'Content-Type: application/json', 'Connection: close']
  const pieces = '6\r\n{"runI\r\n7\r\nd":"A"}\r\n0\r\n\r\n'
  const made = await ask(port, [...post, 'Transfer-Encoding: chunked'], pieces)
  assert.match(made, /^HTTP\/1\.1 201 .*\r\nlocation: \/conduct\/v1\/runs\/A\r\n/s)
  const socket = connect(port, '127.0.0.1')
  socket.end([...post, 'Content-Length: 14', '', '{"runId":"B"}'].join('\r\n'))
  await once(socket.resume(), 'close')
  const { runs } = await createClient({ url, key: adminKey }).listRuns({})
  assert.deepEqual(
    runs.map(({ runId }) => runId),
    ['A'],
  )
})

test('HEAD has the headers of GET and no body', async (t) => {
  const { port } = await openServer(t)
  const of = (method: string) => ask(port, [`${method} /conduct/v1/runs HTTP/1.1`, 'Host: a', 'Connection: close', key])
  const [head, get] = await Promise.all([of('HEAD'), of('GET')])
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n.*\r\n\r\n$/s)
  const namesOf = (text: string) => text.match(/^x-ratelimit-[a-z]+|^content-type: .+$/gm)
  assert.deepEqual(namesOf(head), namesOf(get))
})

/** Mostly texts of the first kind, and sometimes of the others. */
const mostly = (usual: fc.Arbitrary<string>, ...odd: fc.Arbitrary<string>[]) =>
  fc.oneof({ arbitrary: usual, weight: 8 }, ...odd)
const bytes = fc.string({ unit: fc.nat(0xff).map((code) => String.fromCharCode(code)), maxLength: 20 })
const piece = mostly(
  fc.constantFrom(...'/runs /RUN-001 /content /events /specs /. // /.. /%2e%2e /% ? # @'.split(' ')),
  fc.constantFrom('\\', 'http://', '[::1]', '*', ':3000', 'x'.repeat(3000)),
  bytes,
)
const path = fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join(''))
const start = mostly(
  fc.constant('/conduct/v1'),
  fc.constantFrom('', '/conduct', '/livez', '/metrics', 'http://localhost'),
)
const target = fc.tuple(start, path).map((parts) => parts.join(''))
const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PUT', 'CONNECT', 'get')
const name = fc.constantFrom(
  ...['Authorization', 'Content-Type', 'Content-Length', 'Transfer-Encoding', 'Expect', 'Accept', 'Origin', 'Cookie'],
  ...['Idempotency-Key', 'If-Match', 'Access-Control-Request-Method', 'X-Request-Id', 'Connection', 'Upgrade'],
)
const header = mostly(
  fc.constantFrom('Content-Type: application/json', 'Origin: http://a', 'Access-Control-Request-Method: POST'),
  fc.tuple(name, mostly(path, bytes)).map((parts) => parts.join(': ')),
)
/** The last headers, and a body, which mostly belong to each other. */
const end = mostly(
  fc.constantFrom('\r\n', 'Content-Length: 2\r\n\r\n{}', 'Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'),
  fc.constantFrom(
    'Content-Length: 3\r\n\r\n{}',
    'Content-Length: 1\r\n\r\n{}',
    'Transfer-Encoding: chunked\r\n\r\n2\r\n{',
  ),
  bytes,
)
const raw = fc.record({
  first: fc.tuple(method, target).map(([method, target]) => `${method} ${target} HTTP/1.1`),
  host: mostly(fc.constant('localhost'), path),
  key: mostly(fc.constant(key), fc.constant('X: y')),
  headers: fc.array(header, { maxLength: 3 }),
  end,
})

test('no bytes of a request cause a fault of the server', async (t) => {
  const { port } = await openServer(t, 'sqlite::memory:', { corsOrigins: ['http://a'] })
  const check = fc.asyncProperty(raw, async ({ first, host, key, headers, end }) => {
    const bytes = [first, `Host: ${host}`, 'Connection: close', key, ...headers, end].join('\r\n')
    // The server waits longer for the rest of a request.
    const reply = await send(port, bytes, 1_000)
    // The parser of Node.js closes the connection of what it cannot read at all.
    if (reply !== '') assert.match(reply, /^HTTP\/1\.1 [1-4]\d\d /, reply)
  })
  await fc.assert(check, { numRuns: size(200, 20_000) })
})

for (const engine of engines) {
  test(`a server loads neither fetch nor HTTP/2 for its plain requests (${engine.name})`, async (t) => {
    const list = "data:text/javascript,process.on('exit',()=>console.log(process.moduleLoadList.join()))"
    const server = await startServer(t, (await engine.ledger(t)).url, { NODE_OPTIONS: `--import=${list}` })
    const client = createClient({ url: server.url, key: adminKey })
    const { run } = await client.createRun({ content: '# A run' })
    await client.appendToRun({ runId: run.runId, text: 'more\n' })
    await client.getRun({ runId: run.runId })
    await client.listRuns({})
    assert.equal(await server.end('SIGTERM'), 0)
    const loaded = server.output().match(/NativeModule internal\/deps\/undici\/undici|NativeModule http2\b/g)
    assert.match(server.output(), /NativeModule http\b/)
    assert.equal(loaded, null)
  })
}
