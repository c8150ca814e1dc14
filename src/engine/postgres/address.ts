import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'

/**
 * What a session must be able to do: `any` accepts all, `primary` excludes standbys, `read-write` excludes everything
 * read-only.
 */
export type SessionAttrs = 'any' | 'read-write' | 'primary'

/** One way to reach the database: a host and port, with or without TLS. */
export interface PostgresTarget {
  /** For messages: `host:port`, or the folder of a socket. */
  name: string
  connectionString: string
  ssl: TlsChoice
}

interface Address {
  /** In the order of attempts. */
  targets: PostgresTarget[]
  attrs: SessionAttrs
  /** The time limit for connecting to one host, if the URL has one. */
  connectTimeoutMs: number | undefined
}

/** Parameters that this file reads. The driver reads the others. */
const own = ['host', 'port', 'target_session_attrs', 'connect_timeout', 'load_balance_hosts', 'ssl']
const ownTls = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'sslpassword']
/** Parameters of TLS that libpq has and Conduct does not need, or that its documentation excludes. */
const unusedTls = [
  ...['sslcompression', 'sslnegotiation', 'sslcertmode', 'sslcrl', 'sslcrldir', 'sslsni', 'sslkeylogfile'],
  ...['ssl_min_protocol_version', 'ssl_max_protocol_version'],
]
const form = /^(postgres(?:ql)?:\/\/)([^/?#]*)(\/[^?#]*)?(\?[^#]*)?$/

/**
 * Parses a database URL like libpq: several hosts, `target_session_attrs`, `connect_timeout`, `sslmode` and certificate
 * files (postgresql.org/docs/current/libpq-connect.html). Throws if something is wrong with it.
 */
export function readAddress(url: string, env: NodeJS.ProcessEnv = process.env): Address {
  const [, scheme, authority = '', path = '', search = ''] = form.exec(url) ?? []
  if (!scheme) throw new Error('A PostgreSQL URL has the form postgres://user:password@host:port,host:port/database.')
  const at = authority.lastIndexOf('@') + 1
  const query = new URLSearchParams(search)
  requireKnownTls(query)
  const hosts = hostsOf(authority.slice(at), query)
  const attrs = attrsOf(query.get('target_session_attrs'), hosts.length)
  const connectTimeoutMs = timeoutOf(query.get('connect_timeout'))
  const mode = sslMode(query, env)
  const rest = new URLSearchParams([...query].filter(([name]) => ![...own, ...ownTls].includes(name)))
  const targets = hosts.flatMap((host) => targetsOf(host, mode, query, scheme + authority.slice(0, at), path, rest))
  return { targets, attrs, connectTimeoutMs }
}

/** Throws for an unknown parameter of TLS: a mistyped `sslmode` would leave the server unverified. */
function requireKnownTls(query: URLSearchParams): void {
  const known = [...own, ...ownTls, ...unusedTls]
  const stranger = [...query.keys()].find((name) => /ssl|tls/i.test(name) && !known.includes(name))
  if (stranger === undefined) return
  throw new Error(`The database URL has the unknown parameter "${stranger}". Those of TLS are ${ownTls.join(', ')}.`)
}

interface Host {
  host: string
  port: string
}

/** The hosts of the authority or of `?host=`, each with its port. An empty one is taken from the environment. */
function hostsOf(authority: string, query: URLSearchParams): Host[] {
  const inQuery = query.get('host')
  const ports = query.get('port')?.split(',') ?? []
  const hosts = (inQuery ?? authority).split(',').map((part) => {
    if (inQuery !== null) return { host: part, port: '' }
    const [, host = part, port = ''] = /^(\[[^\]]*\]|[^:]*)(?::(\d*))?$/.exec(part) ?? []
    return { host: decodeURIComponent(host.replace(/^\[(.*)\]$/, '$1')), port }
  })
  if (ports.length > 1 && ports.length !== hosts.length) {
    throw new Error(
      `The database URL has ${hosts.length} hosts and ${ports.length} ports: give one port, or one for each.`,
    )
  }
  return hosts.map(({ host, port }, index) => {
    const number = port || ports[index] || ports[0] || ''
    if (number && !(Number(number) >= 1 && Number(number) <= 65_535)) {
      throw new Error(`The port "${number}" of the database URL is not a number from 1 to 65535.`)
    }
    if (hosts.length > 1 && !host) throw new Error('A database URL with several hosts must name each of them.')
    return { host, port: number }
  })
}

function targetsOf(
  { host, port }: Host,
  mode: SslMode,
  query: URLSearchParams,
  start: string,
  path: string,
  rest: URLSearchParams,
): PostgresTarget[] {
  const own = new URLSearchParams(rest)
  if (host) own.set('host', host)
  if (port) own.set('port', port)
  // Only in a query is a plus a blank: in a password it is a plus.
  const search = String(own).replaceAll('+', '%20')
  // The driver requires a host in the authority, but then uses that of the parameter.
  const connectionString = `${start}${host ? 'localhost' : ''}${path || '/'}?${search}`
  const name = host.includes(':') ? `[${host}]:${port || 5432}` : `${host || 'localhost'}:${port || 5432}`
  const isSocket = host.startsWith('/')
  // Like libpq, never encrypts a socket of this machine.
  const choices: TlsChoice[] = isSocket ? [false] : tlsChoices(mode, query)
  return choices.map((ssl) => ({ name: isSocket ? host : name, connectionString, ssl }))
}

function attrsOf(given: string | null, hosts: number): SessionAttrs {
  // With a single host, reads continue while it is read-only; with several, another one may accept writes.
  if (given === null) return hosts > 1 ? 'read-write' : 'any'
  if (given === 'any' || given === 'read-write' || given === 'primary') return given
  throw new Error(`target_session_attrs must be any, read-write or primary, because Conduct writes, not "${given}".`)
}

function timeoutOf(given: string | null): number | undefined {
  if (given === null) return undefined
  if (!/^\d{1,6}$/.test(given)) throw new Error(`connect_timeout must be a number of seconds, not "${given}".`)
  return Number(given) * 1000 || undefined
}

const modes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
type SslMode = (typeof modes)[number]
/** How an attempt to connect encrypts: with these settings, or not at all. */
type TlsChoice = ConnectionOptions | false

const isMode = (text: string): text is SslMode => modes.some((mode) => mode === text)

/**
 * The `sslmode` of a URL or of `PGSSLMODE`. Like libpq, accepts `ssl=true` for `require`. Throws for an unknown mode.
 */
function sslMode(query: URLSearchParams, env: NodeJS.ProcessEnv): SslMode {
  const isSystem = query.get('sslrootcert') === 'system'
  const given = query.get('sslmode') ?? (query.get('ssl') === 'true' ? 'require' : env.PGSSLMODE)
  const mode = given || (isSystem ? 'verify-full' : 'prefer')
  if (!isMode(mode)) {
    const hint = mode === 'no-verify' ? ' To encrypt without verifying the certificate, use require.' : ''
    throw new Error(`sslmode is one of ${modes.join(', ')}; not "${mode}".${hint}`)
  }
  if (isSystem && mode !== 'verify-full') {
    throw new Error(`sslrootcert=system needs sslmode=verify-full; "${mode}" would accept any host with a certificate.`)
  }
  return mode
}

/**
 * What to try on one host, in this order (postgresql.org/docs/current/libpq-ssl.html). Reads the files named in the
 * URL.
 */
function tlsChoices(mode: SslMode, query: URLSearchParams): TlsChoice[] {
  if (mode === 'disable') return [false]
  const encrypted = tlsOptions(mode, query)
  if (mode === 'allow') return [false, encrypted]
  return mode === 'prefer' ? [encrypted, false] : [encrypted]
}

function tlsOptions(mode: SslMode, query: URLSearchParams): ConnectionOptions {
  const file = (name: string) => {
    const path = query.get(name)
    if (!path) return undefined
    try {
      return readFileSync(path)
    } catch (error) {
      throw new Error(`The file of ${name} cannot be read`, { cause: error })
    }
  }
  const isSystem = query.get('sslrootcert') === 'system'
  const ca = isSystem ? undefined : file('sslrootcert')
  if (mode === 'verify-ca' && !ca) {
    throw new Error(
      'sslmode=verify-ca needs sslrootcert, the file of the certificate authority that signs the servers.',
    )
  }
  const [cert, key] = [file('sslcert'), file('sslkey')]
  const passphrase = query.get('sslpassword')
  return {
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(passphrase && { passphrase }),
    // With a certificate authority, libpq always verifies the issuer, but the name only with verify-full.
    rejectUnauthorized: mode === 'verify-full' || ca !== undefined,
    ...(mode !== 'verify-full' && { checkServerIdentity: () => undefined }),
  }
}
