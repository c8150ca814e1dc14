import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Returns why nothing may be sent to `address`, which the URL calls `host`; undefined if it may. */
export type Guard = (address: string, host: string) => string | undefined

/** The prefix of public IPv6 addresses (RFC 4291). Everything else is special or unassigned. */
const globalUnicast: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3]

/** A public address that leads from a machine in Azure to its host. */
const azureHost = '168.63.129.16'

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
    if (rangeOf(address) === 'unicast') return undefined
    // The admin of a project must not learn which address a name of the server's network has.
    return `${host} is not a public address. To allow it, add it to CONDUCT_WEBHOOK_ALLOW.`
  }
}

/** Why a URL names an address that no message may reach; undefined for other URLs, and for names, which may change. */
export function refusalOf(guard: Guard, url: URL): string | undefined {
  const host = hostOf(url)
  if (host === 'localhost') return guard('127.0.0.1', host)
  return isIP(host) === 0 ? undefined : guard(host, host)
}

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

/**
 * The range that an address belongs to, as ipaddr.js names it; an IPv4 address in IPv6 form counts as IPv4. Azure's host is
 * private.
 */
function rangeOf(address: string): string {
  if (!ipaddr.isValid(address)) return 'malformed'
  const parsed = ipaddr.process(address)
  if (parsed.toString() === azureHost) return 'private'
  if (parsed instanceof ipaddr.IPv6 && !parsed.match(globalUnicast)) {
    return parsed.range() === 'unicast' ? 'reserved' : parsed.range()
  }
  return parsed.range()
}

/** The host of a URL in the form in which names and addresses are compared: without brackets or a trailing dot. */
export const hostOf = ({ hostname }: URL) => hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')

/** An address of a name. */
export interface HostAddress {
  address: string
  family: number
}

/** Resolves a name. Rejects if it has no address. */
export type Resolve = (host: string) => Promise<HostAddress[]>

/** Uses the machine's resolver like other programs, including /etc/hosts. */
export const resolveByMachine: Resolve = (host) => lookup(host, { all: true })
