import { once } from 'node:events'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type Guard, type HostAddress, hostOf, type Resolve } from './guard.ts'

/** The guard blocked a message. */
export class Refused extends Error {
  override readonly name = 'Refused'
}

/**
 * Opens a connection to the host of `url`, with TLS for https. Throws Refused unless the guard allows every address of
 * the host, and again the address the socket is connected to, before anything is written.
 */
export async function open(url: URL, guard: Guard, resolve: Resolve, signal: AbortSignal): Promise<Socket> {
  const host = hostOf(url)
  const isSecure = url.protocol === 'https:'
  const addresses = await addressesOf(host, resolve, signal)
  for (const { address } of addresses) requirePass(guard(address, host))
  const port = Number(url.port || (isSecure ? 443 : 80))
  // The socket connects to a checked address: the name is not resolved again. Node.js does not call `lookup` for a
  // literal address.
  const socket = connect({ host, port, lookup: (_host, _options, done) => done(null, addresses) })
  try {
    await untilEvent(socket, 'connect', signal)
    requirePass(guard(socket.remoteAddress ?? '', host))
    if (!isSecure) return socket
    const secure = connectTls({ socket, host, servername: isIP(host) ? '' : host, ALPNProtocols: ['http/1.1'] })
    await untilEvent(secure, 'secureConnect', signal)
    return secure
  } catch (error) {
    socket.destroy()
    throw error
  }
}

async function addressesOf(host: string, resolve: Resolve, signal: AbortSignal): Promise<HostAddress[]> {
  const family = isIP(host)
  if (family !== 0) return [{ address: host, family }]
  const addresses = await untilAborted(() => resolve(host), signal)
  if (addresses.length === 0) throw new Error(`${host} has no address`)
  return addresses
}

function requirePass(refusal: string | undefined): void {
  if (refusal !== undefined) throw new Refused(refusal)
}

/** Waits for the event of a socket. Later errors of the socket are reported by whatever uses it then. */
async function untilEvent(socket: Socket, event: string, signal: AbortSignal): Promise<void> {
  socket.on('error', () => {})
  await once(socket, event, { signal })
}

/** Rejects with the signal's reason if it aborts first; does nothing if it has aborted. */
async function untilAborted<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort)
  try {
    return await Promise.race([work(), promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
