import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { addressOf, names } from '../../src/contract/paths.ts'

// This is a thread of its own, so that the clients do not delay the measurements of the server.

const { port } = workerData as { port: number }
const sockets = new Set<Socket>()
let isOver = false
parentPort?.once('message', () => {
  isOver = true
  for (const socket of sockets) socket.destroy()
})

function open(): Socket {
  const socket = connect(port, '127.0.0.1')
  sockets.add(socket)
  socket.on('error', () => {})
  socket.once('close', () => sockets.delete(socket))
  return socket
}

const closed = (socket: Socket) =>
  socket.closed ? Promise.resolve() : new Promise<void>((resolve) => socket.once('close', () => resolve()))

const head = (method: string, path: string, ...headers: string[]) =>
  [`${method} ${path} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n')

const login = (...headers: string[]) =>
  head('POST', '/conduct/v1/auth/session', 'Content-Type: application/json', ...headers)

/** Sends the beginning of a request, then a byte at a time, until the server closes the connection. */
async function dribble(beginning: string) {
  const socket = open().resume()
  socket.write(beginning)
  const drop = setInterval(() => socket.write('x'), 200)
  await closed(socket)
  clearInterval(drop)
}

/** Sends requests, and does not read the responses for ten seconds. */
async function readNothing(requests: string) {
  const socket = open().pause()
  socket.write(requests)
  await Promise.race([closed(socket), sleep(10_000)])
  socket.destroy()
}

/** Sends the beginning of a request, and closes the connection. */
async function abort(beginning: string) {
  const socket = open()
  await new Promise((resolve) => socket.write(beginning, resolve))
  await sleep(5)
  socket.destroy()
  await closed(socket)
}

/** Sends requests, and reads each response to its end. */
async function ask(requests: string) {
  const socket = open().resume()
  socket.write(requests)
  await closed(socket)
}

const close = 'Connection: close'
const withBody = (body: string) => login(`Content-Length: ${body.length}`, close) + body
const strangersOf = (count: number) =>
  JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, n) => [`x${n}`, 1])))
const strangers = strangersOf(100)
const manyStrangers = strangersOf(150_000)
const wrongKey = `sk_admin_${'x'.repeat(43)}`
const ways = [
  '/',
  '/livez',
  '/readyz',
  '/metrics',
  '/conduct/',
  '/conduct/docs',
  '/conduct/openapi.json',
  '/conduct/mcp',
  '/conduct/v1/hooks/claude',
]
const routes = [
  ...ways.flatMap((path) => ['GET', 'POST'].map((method) => head(method, path, close))),
  ...names.map((name) => {
    const { method, path } = addressOf(name)
    return head(method, `/conduct${path.replace(/:\w+/g, 'x')}`, 'Accept: text/event-stream', close)
  }),
]
const askAnyRoute = () => ask(routes[Math.floor(Math.random() * routes.length)] as string)

const attacks: (() => Promise<void>)[] = [
  () => dribble('GET /conduct/v1/runs HTTP/1.1\r\nHost: slow\r\nX: '),
  () => dribble(login('Content-Length: 1000')),
  () => dribble(head('POST', '/conduct/mcp', 'Content-Type: application/json', 'Content-Length: 1000000')),
  () => readNothing(head('GET', '/conduct/openapi.json').repeat(80)),
  () => readNothing(head('GET', '/conduct/docs').repeat(80)),
  () => readNothing(withBody(strangers).replace(close, 'Connection: keep-alive').repeat(80)),
  () => readNothing(withBody(manyStrangers)),
  () => readNothing(login('Content-Length: 2000000') + 'x'.repeat(1_900_000)),
  () => abort(`${login('Content-Length: 1000')}{"key":`),
  () => abort(`${login('Transfer-Encoding: chunked')}3\r\n{"k\r\n`),
  () => ask(withBody('{')),
  () => ask(withBody(strangers)),
  () => ask(withBody(JSON.stringify({ key: wrongKey }))),
  () => ask(login('Content-Length: 2000000', close) + 'x'.repeat(500_000)),
  () => ask(head('GET', '/conduct/v1/runs', `Authorization: Bearer ${wrongKey}`, close)),
  () => ask(head('GET', '/conduct/', `Cookie: ${'conduct_session_default=x; '.repeat(500)}`, close)),
  () => ask(head('GET', '/conduct/', `X: ${'x'.repeat(100_000)}`, close)),
  () => ask(head('GET', `/conduct/${'.x'.repeat(7000)}/`, 'Accept: text/html', close)),
  () => ask(head('GET', `/conduct/v1/runs/${'%E0%A4%A'.repeat(1900)}`, close)),
  () => ask(head('GET', `/conduct/v1/runs?${'&a'.repeat(7000)}`, close)),
  () => ask('nonsense\r\n\r\n'),
  () =>
    readNothing(
      ['/metrics', '/readyz', '/livez']
        .map((path) => head('GET', path))
        .join('')
        .repeat(80),
    ),
  askAnyRoute,
  askAnyRoute,
  askAnyRoute,
]

/** Each attack runs over and over, at most a hundred times a second. */
await Promise.all(
  attacks.map(async (attack) => {
    while (!isOver) await Promise.all([attack(), sleep(10)])
  }),
)
parentPort?.postMessage('left')
