import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'

/** Whether this system tells whose the other end of a local connection is. */
export const showsOwners = process.platform === 'linux'

/** The user id at the other end of a connection within this machine, by proc(5); undefined if the system does not say. */
export function ownerOf({ localPort, remotePort }: Pick<Socket, 'localPort' | 'remotePort'>): number | undefined {
  // A browser may use an IPv6 socket for an IPv4 address.
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const row of linesOf(table)) {
      const [, from = '', to = '', , , , , uid] = row.trim().split(/\s+/)
      if (portOf(from) === remotePort && portOf(to) === localPort) return Number(uid)
    }
  }
  return undefined
}

const portOf = (address: string) => Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16)

function linesOf(table: string): string[] {
  try {
    return readFileSync(table, 'latin1').split('\n')
  } catch {
    return []
  }
}
