import { isIP } from 'node:net'
import { hostname } from 'node:os'
import type { HonoRequest } from 'hono'
import { ConductError } from '../contract/error.ts'
import { cut } from '../contract/explain.ts'

export type Hosts = ReturnType<typeof createHosts>

/**
 * Tells by which names the server is called. A page can make a name of its own resolve to this machine (DNS rebinding), and
 * then calls the server as its own origin, but under that name. An address cannot be made to lead elsewhere.
 */
export function createHosts(allowed: readonly string[]) {
  const machine = hostname().toLowerCase()
  const own = new Set(['localhost', machine, machine.split('.', 1)[0], ...allowed.map((name) => name.toLowerCase())])

  /** Whether this is an address, a name of this machine, or an allowed name. */
  const isOwn = (name: string) => isAddress(name) || name.endsWith('.localhost') || own.has(name)

  return {
    /** Whether the request names a host that cannot be somebody else's. */
    isOwn: (request: HonoRequest) => isOwn(nameOf(request)),

    /** Throws FORBIDDEN for a request under another name, if the allowed names are set. */
    require(request: HonoRequest): void {
      if (allowed.length === 0) return
      const name = nameOf(request)
      if (isOwn(name)) return
      throw new ConductError(
        'FORBIDDEN',
        `This server does not answer as '${cut(name)}': add the name to CONDUCT_ALLOWED_HOSTS, which has ${allowed.join(', ')}.`,
      )
    },
  }
}

const isAddress = (name: string) => isIP(name.replace(/^\[|\]$/g, '')) !== 0

/** The host name of a request, in lower case and without the dot at the end of a full name. */
export const nameOf = ({ url }: HonoRequest) => new URL(url).hostname.replace(/\.$/, '')
