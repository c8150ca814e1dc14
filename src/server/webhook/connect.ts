import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { BlockList, connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import ipaddr from 'ipaddr.js'

/** Returns why nothing may be sent to `address`, which the URL calls `host`; undefined if it may. */
type Guard = (address: string, host: string) => string | undefined

/** The prefix of public IPv6 addresses (RFC 4291). Everything else is special or unassigned. */
const globalUnicast: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3]

/**
 * Allows public addresses, and others only if `allow` names them: by the host of the URL, by address or by CIDR range.
 * Throws for an invalid range.
 */
export function createGuard(allow: readonly string[]): Guard {
  const ranges = new BlockList()
  const hosts = new Set<string>()
  for (const entry of allow) {
    const [address = '', prefix] = entry.split('/')
    if (isIP(address) === 0) hosts.add(entry.toLowerCase())
    else if (prefix === undefined) ranges.addAddress(address, familyOf(address))
    else ranges.addSubnet(address, Number(prefix), familyOf(address))
  }
  return (address, host) => {
    if (hosts.has(host) || ranges.check(address, familyOf(address))) return undefined
    const range = rangeOf(address)
    if (range === 'unicast') return undefined
    const name = host === address ? host : `${host} (${address})`
    return `${name} is not a public address (${range}). To allow it, add ${host} to CONDUCT_WEBHOOK_ALLOW.`
  }
}

/** Why a URL names an address that no message may reach; undefined for other URLs, and for names, which may change. */
export function refusalOf(guard: Guard, url: URL): string | undefined {
  const host = hostOf(url)
  if (host === 'localhost') return guard('127.0.0.1', host)
  return isIP(host) === 0 ? undefined : guard(host, host)
}

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

/** The range that an address belongs to, as ipaddr.js names it; an IPv4 address in IPv6 form counts as IPv4. */
function rangeOf(address: string): string {
  if (!ipaddr.isValid(address)) return 'malformed'
  const parsed = ipaddr.process(address)
  if (parsed instanceof ipaddr.IPv6 && !parsed.match(globalUnicast)) {
    return parsed.range() === 'unicast' ? 'reserved' : parsed.range()
  }
  return parsed.range()
}

/** The host of a URL in the form in which names and addresses are compared: without brackets or a trailing dot. */
const hostOf = ({ hostname }: URL) => hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')

/** An address of a name. */
export interface Address {
  address: string
  family: number
}

/** Resolves a name. Rejects if it has no address. */
export type Resolve = (host: string) => Promise<Address[]>

/** Uses the machine's resolver like other programs, including /etc/hosts. */
export const resolveByMachine: Resolve = (host) => lookup(host, { all: true })

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

async function addressesOf(host: string, resolve: Resolve, signal: AbortSignal): Promise<Address[]> {
  const family = isIP(host)
  if (family !== 0) return [{ address: host, family }]
  const addresses = await untilAborted(resolve(host), signal)
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

/** Rejects with the signal's reason if it aborts first. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort)
  try {
    return await Promise.race([work, promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}
