import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'

const modes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
export type SslMode = (typeof modes)[number]
/** How an attempt to connect encrypts: with these settings, or not at all. */
export type TlsChoice = ConnectionOptions | false

const isMode = (text: string): text is SslMode => modes.some((mode) => mode === text)

/**
 * The `sslmode` of a URL or of `PGSSLMODE`. Like libpq, accepts `ssl=true` for `require`. Throws for an unknown mode.
 */
export function sslMode(query: URLSearchParams, env: NodeJS.ProcessEnv): SslMode {
  const isSystem = query.get('sslrootcert') === 'system'
  const given = query.get('sslmode') ?? (query.get('ssl') === 'true' ? 'require' : env.PGSSLMODE)
  const mode = given || (isSystem ? 'verify-full' : 'prefer')
  if (!isMode(mode)) {
    const hint = mode === 'no-verify' ? ' To encrypt without a look at the certificate, use require.' : ''
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
export function tlsChoices(mode: SslMode, query: URLSearchParams): TlsChoice[] {
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
