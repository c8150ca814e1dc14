import { connect, type Socket } from 'node:net'

/** The bytes of a connection's next request. */
export type Next = () => Buffer

interface Load {
  /** Responses per second. */
  rate: number
  /** The median time from a request to its complete response, in milliseconds. */
  p50: number
}

/** A request as bytes. `url` is that of the server, with its base path. */
export function requestOf(url: string, method: string, path: string, headers: Record<string, string>, body = '') {
  const { host, pathname } = new URL(url + path)
  const query = path.includes('?') ? path.slice(path.indexOf('?')) : ''
  const all = {
    host,
    ...headers,
    ...(body && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${method} ${pathname}${query} HTTP/1.1\r\n${lines.join('')}\r\n${body}`)
}

/**
 * Sends requests over `connections` connections, each the next one after its response, until `requests` are answered or
 * `seconds` have passed. Throws if a status is not 200 or 201, or a connection is lost. It is hand-written so that the
 * server has a core to itself, and PostgreSQL gets more of the other one than the usual generators leave.
 */
export async function load(
  url: string,
  next: Next,
  { connections = 32, seconds = Number.POSITIVE_INFINITY, requests = Number.POSITIVE_INFINITY },
): Promise<Load> {
  const { hostname, port } = new URL(url)
  const times: number[] = []
  const started = performance.now()
  const deadline = started + seconds * 1000
  let asked = 0
  const more = () => asked++ < requests && performance.now() < deadline
  const ask = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(Number(port), hostname)
      socket.setNoDelay()
      socket.on('connect', () => converse(socket, next, more, times).then(resolve, reject))
      socket.on('error', reject)
    })
  await Promise.all(Array.from({ length: connections }, ask))
  const ms = performance.now() - started
  return { rate: (times.length * 1000) / ms, p50: times.sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN }
}

async function converse(socket: Socket, next: Next, more: () => boolean, times: number[]) {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let asked = 0
  let pending = Buffer.alloc(0)
  const ask = () => {
    if (!more()) return resolve()
    asked = performance.now()
    socket.write(next())
  }
  socket.on('data', (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    try {
      if (pending.length < lengthOf(pending)) return
      pending = Buffer.alloc(0)
      times.push(performance.now() - asked)
      ask()
    } catch (error) {
      reject(error)
    }
  })
  socket.on('close', () => reject(new Error('The server closed a connection.')))
  ask()
  await promise.finally(() => socket.destroy())
}

/** The length of the response that starts with these bytes; larger than their number if its head is incomplete. */
function lengthOf(bytes: Buffer): number {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return Number.POSITIVE_INFINITY
  const head = bytes.toString('latin1', 0, end)
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
  if (!/^HTTP\/1.1 20[01] /.test(head) || length === undefined) {
    throw new Error(`The server answered ${bytes.toString()}`)
  }
  return end + 4 + Number(length)
}
