import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { endianness } from 'node:os'

/** Whether this system tells whose the other end of a local connection is. */
export const showsOwners = process.platform === 'linux'

type Ends = Pick<Socket, 'localPort' | 'remotePort' | 'remoteAddress'>

/**
 * The user id at the other end of an IPv4 connection within this machine, by proc(5); undefined if the system does not say.
 * Ports alone do not tell: a machine has many addresses of its own, and another user may use the same port of another one.
 */
export function ownerOf({ localPort, remotePort, remoteAddress = '' }: Ends): number | undefined {
  const address = `${hexOf(remoteAddress)}:`
  // A browser may use an IPv6 socket for an IPv4 address.
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const row of linesOf(table)) {
      const [, from = '', to = '', , , , , uid] = row.trim().split(/\s+/)
      const isFrom = from.includes(address) && portOf(from) === remotePort
      if (isFrom && portOf(to) === localPort) return Number(uid)
    }
  }
  return undefined
}

/** The user ids of the programs that listen on a TCP port of this machine; none if the system does not say. */
export function listenersOn(port: number): number[] {
  const rows = showsOwners ? ['/proc/net/tcp', '/proc/net/tcp6'].flatMap(linesOf) : []
  return rows.flatMap((row) => {
    const [, at = '', , state, , , , uid] = row.trim().split(/\s+/)
    return state === listening && portOf(at) === port ? [Number(uid)] : []
  })
}

/** The state of a socket that listens, as the kernel prints it. */
const listening = '0A'

/** An IPv4 address as the kernel prints it: a number in the byte order of the machine. */
function hexOf(address: string): string {
  const bytes = Buffer.from(
    address
      .replace(/^::ffff:/, '')
      .split('.')
      .map(Number),
  )
  return (endianness() === 'LE' ? bytes.reverse() : bytes).toString('hex').toUpperCase()
}

const portOf = (address: string) => Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16)

function linesOf(table: string): string[] {
  try {
    return readFileSync(table, 'latin1').split('\n')
  } catch {
    return []
  }
}
