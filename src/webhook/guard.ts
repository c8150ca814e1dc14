import { BlockList, isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Says why nothing may be sent to `address`, which the URL calls `host`; undefined if it may. */
export type Guard = (address: string, host: string) => string | undefined

/** What public IPv6 addresses begin with (RFC 4291): everything else is special or not assigned. */
const globalUnicast: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3]

/**
 * Lets public addresses pass, and others only if `allow` names them: by the host of the URL, by address or by CIDR range.
 * Throws for a range that is not one.
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

/** The host of a URL as names and addresses are compared: without brackets, and without the root's dot. */
export const hostOf = ({ hostname }: URL) => hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
