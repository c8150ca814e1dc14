import { hash, randomInt } from 'node:crypto'

/** The permissions of keys, highest first. */
export const permissions = ['admin', 'delete', 'write', 'agent', 'read'] as const
export type Permission = (typeof permissions)[number]

/** `sk_<highest permission>_<43 base62 characters>` */
export const secretPattern = new RegExp(`^sk_(?:${permissions.join('|')})_[0-9A-Za-z]{43}$`)

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** 43 random base62 characters carry 256 bits. */
const random = () => Array.from({ length: 43 }, () => alphabet[randomInt(62)]).join('')

/** The secret of a new key, named by its highest permission. */
export const newSecret = (held: readonly Permission[]) =>
  `sk_${permissions.find((one) => held.includes(one))}_${random()}`

/**
 * The two secrets of a session. A browser sends the cookie to every port of the host; the token stays in the storage of
 * one origin, whose page sends it as a header.
 */
export interface SessionSecrets {
  cookie: string
  token: string
}

/** How long a session lasts unless its key expires earlier. */
export const sessionMs = 30 * 24 * 3600_000

/** How long a login code is valid. */
export const loginCodeMs = 10 * 60_000

/** The secrets of a new session. */
export const newSession = (): SessionSecrets => ({ cookie: `session_${random()}`, token: `page_${random()}` })

/** A new code with which a browser logs in once. */
export const newLoginCode = () => `code_${random()}`

/** What is stored instead of a secret. */
export const hashOf = (secret: string) => hash('sha256', secret)

/** What is stored of a session: neither of its secrets finds it alone. */
export const hashOfSession = ({ cookie, token }: SessionSecrets) => hashOf(`${cookie} ${token}`)

/** The part of a secret that may be shown: its role and four characters. */
export const prefixOf = (secret: string) => secret.slice(0, secret.lastIndexOf('_') + 5)

/** A secret of Conduct in a text. The group is the part that may be shown. */
export const secretWithin =
  /\b((?:(?:sk_[a-z]{4,6}|session|page|code)_[0-9A-Za-z]{4})(?=[0-9A-Za-z]{39})|whsec_[0-9A-Za-z+/]{4}(?=[0-9A-Za-z+/]{39}))[0-9A-Za-z+/]+=?/g

/** Masks Conduct's secrets in a text from outside, for logs and responses. */
export const masked = (text: string) => text.replace(secretWithin, '$1…')
