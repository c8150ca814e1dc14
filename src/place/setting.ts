import { isIP } from 'node:net'
import { join } from 'node:path'
import { secretPattern } from '../contract/secret.ts'
import { readKeep } from '../engine/sqlite/backups.ts'
import { isSigningSecret, receiverFault } from '../nouns/webhook/rules.ts'
import { homeOf } from './folders.ts'

const logLevels = ['silent', 'error', 'warn', 'info', 'debug'] as const

interface Setting<Value> {
  env: string
  /** The flag of the command line. A secret has none, because other users can see arguments. */
  flag?: string
  /** The default value, as text. */
  fallback: string
  meaning: string
  /** Parses the value. Throws an Error that says what would be right. */
  read(text: string): Value
}

/** Every setting. Flags, environment variables, documentation and validation are derived from this table. */
const table = {
  host: {
    env: 'CONDUCT_HOST',
    flag: '--host',
    fallback: '127.0.0.1',
    meaning: 'Address to listen on; 0.0.0.0 for all',
    read: (text) => must(/^[A-Za-z0-9.:_-]+$/.test(text), text, 'a host name or address'),
  },
  port: {
    env: 'CONDUCT_PORT',
    flag: '--port',
    fallback: '3000',
    meaning: 'Port to listen on; 0 takes a free one',
    read: (text) => wholeNumber(text, 0, 65_535),
  },
  basePath: {
    env: 'CONDUCT_BASE_PATH',
    flag: '--base-path',
    fallback: '/conduct',
    meaning: 'Path before /v1 in every address; / for none',
    read: (text) =>
      text === '/'
        ? ''
        : must(/^(\/[A-Za-z0-9._~-]+)+$/.test(text), text, 'a path like /conduct, without a / at its end'),
  },
  databaseUrl: {
    env: 'CONDUCT_DATABASE_URL',
    flag: '--database-url',
    get fallback() {
      const data = process.env.XDG_DATA_HOME || join(homeOf(process.env), '.local', 'share')
      return `sqlite:${join(data, 'conduct', 'conduct.db')}`
    },
    meaning: 'sqlite:FILE, sqlite::memory: or postgres://…',
    read: (text) => {
      must(
        /^(sqlite:.+|postgres(ql)?:\/\/.+)$/s.test(text),
        withoutPassword(text),
        'sqlite:FILE, sqlite::memory: or postgres://…',
      )
      return text
    },
  },
  adminKey: {
    env: 'CONDUCT_ADMIN_KEY',
    fallback: '',
    meaning:
      'Secret of the first key, for a database without an admin key; by default, Conduct creates one and prints it on a terminal or writes it to a file',
    read: (text) => {
      if (text === '') return undefined
      if (secretPattern.test(text) && text.startsWith('sk_admin_')) return text
      throw new Error('must be sk_admin_ and 43 characters of 0-9 A-Z a-z')
    },
  },
  rateLimit: {
    env: 'CONDUCT_RATE_LIMIT',
    flag: '--rate-limit',
    fallback: '6000',
    meaning: 'Requests per minute and key, counted per process; 0 for no limit',
    read: (text) => wholeNumber(text, 0, 1e9),
  },
  contentLimit: {
    env: 'CONDUCT_CONTENT_LIMIT',
    flag: '--content-limit',
    fallback: '1048576',
    meaning: 'Largest content in UTF-8 bytes; a request body may be twice as large',
    read: (text) => wholeNumber(text, 1024, 64 * 1_048_576),
  },
  corsOrigins: {
    env: 'CONDUCT_CORS_ORIGINS',
    flag: '--cors-origins',
    fallback: '',
    meaning: 'Origins whose pages may call the API from a browser, separated by commas',
    read: (text) => text.split(',').filter(Boolean).map(origin),
  },
  allowedHosts: {
    env: 'CONDUCT_ALLOWED_HOSTS',
    flag: '--allowed-hosts',
    fallback: '',
    meaning:
      'Host names of the server besides those of its machine, separated by commas; if set, it refuses requests under other names',
    read: (text) => text.split(',').filter(Boolean).map(hostName),
  },
  webhookAllow: {
    env: 'CONDUCT_WEBHOOK_ALLOW',
    flag: '--webhook-allow',
    fallback: '',
    meaning:
      'Hosts, addresses and CIDR ranges that webhooks may reach although they are not public, separated by commas',
    read: (text) => text.split(',').filter(Boolean).map(receiver),
  },
  publicUrl: {
    env: 'CONDUCT_PUBLIC_URL',
    flag: '--public-url',
    fallback: '',
    meaning: 'Address under which people open the dashboard, with the base path, for links in messages of webhooks',
    read: (text) => (text === '' ? undefined : pageAddress(text)),
  },
  logLevel: {
    env: 'CONDUCT_LOG_LEVEL',
    flag: '--log-level',
    fallback: 'warn',
    meaning: `${logLevels.join(', ')}; info logs each request`,
    read: (text) => {
      const level = logLevels.find((one) => one === text)
      if (level) return level
      throw new Error(`must be one of ${logLevels.join(', ')}, not '${text}'`)
    },
  },
  anchorFile: {
    env: 'CONDUCT_ANCHOR_FILE',
    flag: '--anchor-file',
    fallback: '',
    meaning: 'File to which the server appends each checkpoint of the log',
    read: (text) => text || undefined,
  },
  anchorCommand: {
    env: 'CONDUCT_ANCHOR_COMMAND',
    flag: '--anchor-command',
    fallback: '',
    meaning: 'Shell command that receives each checkpoint of the log on standard input',
    read: (text) => text || undefined,
  },
  anchorWebhook: {
    env: 'CONDUCT_ANCHOR_WEBHOOK',
    flag: '--anchor-webhook',
    fallback: '',
    meaning: 'URL to which the server posts each checkpoint of the log, signed by CONDUCT_ANCHOR_WEBHOOK_SECRET',
    read(text) {
      const fault = text === '' ? undefined : receiverFault(text)
      if (fault !== undefined) throw new Error(fault)
      return text || undefined
    },
  },
  anchorWebhookSecret: {
    env: 'CONDUCT_ANCHOR_WEBHOOK_SECRET',
    fallback: '',
    meaning:
      'Secret that signs what is posted to CONDUCT_ANCHOR_WEBHOOK: whsec_ and the base64 of 24 to 64 random bytes',
    read(text) {
      if (text === '' || isSigningSecret(text)) return text || undefined
      throw new Error('must be whsec_ and the base64 of 24 to 64 random bytes')
    },
  },
  logDays: {
    env: 'CONDUCT_LOG_DAYS',
    flag: '--log-days',
    fallback: '0',
    meaning: 'Days after which events are dropped from the log; 0 keeps them',
    read: (text) => wholeNumber(text, 0, 36_500),
  },
  backupDir: {
    env: 'CONDUCT_BACKUP_DIR',
    flag: '--backup-dir',
    fallback: '',
    meaning: 'Folder for scheduled backups of an SQLite ledger; no backups by default',
    read: (text) => text || undefined,
  },
  backupKeep: {
    env: 'CONDUCT_BACKUP_KEEP',
    flag: '--backup-keep',
    fallback: '24h,7d,4w',
    meaning: 'How many backups to keep, by hours, days, weeks and months',
    read: readKeep,
  },
} satisfies Record<string, Setting<unknown>>

/** The settings of `conduct serve`. */
export type Settings = { [Name in keyof typeof table]: ReturnType<(typeof table)[Name]['read']> }

export const settings: { [Name in keyof Settings]: Setting<Settings[Name]> } = table

function must(right: boolean, text: string, rule: string): string {
  if (right) return text
  throw new Error(`must be ${rule}, not '${text}'`)
}

function wholeNumber(text: string, least: number, most: number): number {
  if (/^\d{1,12}$/.test(text) && Number(text) >= least && Number(text) <= most) return Number(text)
  throw new Error(`must be a whole number from ${least} to ${most}, not '${text}'`)
}

function origin(text: string): string {
  const trimmed = text.trim()
  if (URL.canParse(trimmed) && new URL(trimmed).origin === trimmed) return trimmed
  throw new Error(`must be origins like https://example.com, not '${trimmed}'`)
}

/** The address of a page, without a slash at its end. */
function pageAddress(text: string): string {
  const { protocol, username, password, search, hash, href = '' } = URL.canParse(text) ? new URL(text) : {}
  const isWeb = protocol === 'https:' || protocol === 'http:'
  if (isWeb && !username && !password && !search && !hash) return href.replace(/(?<!\/)\/+$/, '')
  throw new Error(`must be an address like https://conduct.example.com/conduct, not '${text}'`)
}

function hostName(text: string): string {
  const trimmed = text.trim()
  if (/^[a-z0-9_]([a-z0-9_.-]{0,252}[a-z0-9_])?$/i.test(trimmed)) return trimmed
  throw new Error(`must be host names without a port, like conduct.example.com, not '${trimmed}'`)
}

/** A host, an address or a range of addresses. */
function receiver(text: string): string {
  const trimmed = text.trim()
  const [address = '', prefix, ...more] = trimmed.split('/')
  const bits = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1
  const isRange = more.length === 0 && /^\d{1,3}$/.test(prefix ?? '0') && Number(prefix ?? 0) <= bits
  const isHost = /^[a-z0-9_]([a-z0-9_.-]{0,252}[a-z0-9_])?$/i.test(trimmed) && !/^[\d.]+$/.test(trimmed)
  if (isRange || isHost) return trimmed
  throw new Error(`must be hosts, addresses and ranges like hooks.internal, 10.0.0.7 or 10.0.0.0/8, not '${trimmed}'`)
}

/** Variables that other parts of Conduct read. */
const otherEnv = ['CONDUCT_URL', 'CONDUCT_API_KEY', 'CONDUCT_PROJECT', 'CONDUCT_RUN_ID']

/**
 * Reads the settings from flags (by setting name) and environment; flags win. Throws an Error that names every wrong
 * setting with what would be right, and every unknown CONDUCT_ variable.
 */
export function readSettings(
  flags: Record<string, string | undefined>,
  env: Record<string, string | undefined>,
): Settings {
  const faults: string[] = []
  const read = Object.entries(settings).map(([name, { env: variable, flag, fallback, read }]) => {
    const given = flags[name]
    try {
      if (name === 'databaseUrl' && given !== undefined) refusePassword(given)
      return [name, read(given ?? (env[variable] || fallback))]
    } catch (error) {
      faults.push(`${given === undefined ? variable : flag} ${(error as Error).message}`)
      return [name, undefined]
    }
  })
  faults.push(...unknownSettings(env))
  const values = Object.fromEntries(read) as unknown as Settings
  const secret = settings.anchorWebhookSecret.env
  if (values.anchorWebhook !== undefined && !env[secret]) {
    faults.push(`${settings.anchorWebhook.env} needs ${secret}, the secret that signs what is posted there`)
  }
  if (faults.length > 0) throw new Error(faults.join('\n'))
  return values
}

/** An error for each unknown CONDUCT_ variable. */
export function unknownSettings(env: Record<string, string | undefined>): string[] {
  const known = [...Object.values(settings).map(({ env }) => env), ...otherEnv]
  return Object.keys(env)
    .filter((variable) => variable.startsWith('CONDUCT_') && !known.includes(variable))
    .map((variable) => `${variable} is not a setting; there are ${known.join(', ')}`)
}

/** Throws an Error for a database URL with a password, of a flag. */
export function refusePassword(url: string): void {
  if (withoutPassword(url) === url) return
  throw new Error(
    `contains a password, which every user of this machine can read in the arguments: set ${settings.databaseUrl.env} instead`,
  )
}

/** A database URL without its password. It may be one that we refuse, such as `postgre://…` or `jdbc:postgresql://…`. */
export function withoutPassword(url: string): string {
  return withoutLogin(url).replace(/([?&](?:ssl)?password=)[^&]*/g, '$1…')
}

/** The URL without its login's password: the text between the user and the last `@`. */
function withoutLogin(url: string): string {
  const at = url.indexOf('@')
  const scheme = url.indexOf(':/')
  const user = scheme < 0 || scheme > at ? 0 : scheme + (url.startsWith('://', scheme) ? 3 : 2)
  const colon = url.indexOf(':', user)
  const hasPassword = colon >= 0 && colon < at && !url.startsWith('sqlite:')
  return hasPassword ? `${url.slice(0, colon)}:…${url.slice(url.lastIndexOf('@'))}` : url
}
