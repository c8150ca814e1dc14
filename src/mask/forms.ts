import { secretWithin } from '../contract/secret.ts'
import { commands } from './commands.ts'
import { keys } from './keys.ts'
import type { Span } from './span.ts'

/**
 * Secrets that have a known form or a known prefix, and that secretlint does not find. Each pattern takes linear time on any
 * text: a match reads either a fixed length, or up to a character that every further match would have to contain.
 */
const forms = [
  ...keys,
  ...commands,
  // A private key, also when its end is missing.
  /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----|$)/g,
  /(?<=\bBearer\s{1,4})[A-Za-z0-9._~+/-]{20,}=*/gi,
  /(?<=\bauthorization["']?\s?[:=,]\s?["']?(?:Basic|Bearer|Digest|Token|ApiKey)\s(?:token="?)?)(?!token\b|your)[^\s"',;<>$[{.…][^\s"',;]{3,}/gi,
  // Without the name of a scheme, a value that has a digit and is all of the header.
  /(?<=\bauthorization["']?\s?[:=,]\s?["']?)(?=[^\s\d]{0,99}\d)[A-Za-z0-9._~+/-]{8,}=*(?=[ \t]{0,8}$|["'])/gim,
  /(?<=\bauthorization:\s(?:Digest|AWS4-HMAC-SHA256)\s[^\n]{0,400}?(?:response|Signature)="?)[0-9a-f]{32,}/gi,
  // A password may contain an @ itself.
  /(?<=:\/\/[^\s/:@]{0,100}:)[^\s/@]+(?:@[^\s/@"'`,;<>()?#&|\\]+)*(?=@)/g,
  // Or a slash, which ends a port.
  /(?<=:\/\/[^\s/:@]{0,100}:)(?!\d{1,5}\/)[^\s@"'`<>]{1,200}(?=@[\w[])/g,
  // Go's user:password@tcp(host).
  /(?<=\b\w[\w.-]{0,63}:)[^\s:@/]{3,}(?=@(?:tcp|unix)\()/g,
  // A token that stands in place of a user name.
  /(?<=https?:\/\/)(?=[A-Za-z_-]{0,99}\d)[A-Za-z0-9_-]{20,}(?=@)/g,
  /(?<=<(?:password|passphrase|secret|token|api-?key|private-?key)>)[^<\s$[…]{3,1000}(?=<\/)/gi,
  // The .npmrc format of older registries.
  /(?<=(?<!\w)_auth\s?=\s?["']?)[A-Za-z0-9+/=]{8,}/g,
  // .netrc, .pgpass, and the settings of Redis.
  /(?<=\bmachine\s{1,4}\S{1,100}\s{1,4}login\s{1,4}\S{1,100}\s{1,4}password[ \t]{1,4})\S{3,}/g,
  /(?<=^[^\s:]{1,100}:(?:5432|5433|6432|\*):[^\s:]{1,64}:[^\s:]{1,64}:)\S{3,}$/gm,
  /(?<=^[ \t]{0,8}requirepass[ \t])\S{3,}/gm,
  // SQL.
  /(?<=\b(?:identified\sby|(?:with|login|encrypted)\spassword|password\sfor\s\S{1,64}\s=)\s["'])[^"'\n]{3,200}(?=["'])/gi,
]

/** Finds a JSON Web Token by its second part, which has the same prefix as its first. */
const webToken = /(?<=(?<head>eyJ[A-Za-z0-9_-]{10,})\.)eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/g

/** The user and password that docker stores in config.json, in base64. */
const dockerAuth = /(?<="auth"\s?:\s?")[A-Za-z0-9+/]{8,}={0,2}(?=")/g
const isUserAndPassword = (text: string) => {
  const decoded = Buffer.from(text, 'base64').toString('latin1')
  return /^[\x20-\x7e]+$/.test(decoded) && decoded.slice(1, -1).includes(':')
}

export function formsIn(text: string): Span[] {
  const found = forms.flatMap((form) => [...text.matchAll(form)].map((match) => spanOf(match)))
  const tokens = [...text.matchAll(webToken)].map((match) => spanOf(match, -1 - (match.groups?.head?.length ?? 0)))
  const own = [...text.matchAll(secretWithin)].map((match) => ({ ...spanOf(match, match[1]?.length), mark: '…' }))
  const docker = [...text.matchAll(dockerAuth)]
    .filter(([auth]) => isUserAndPassword(auth))
    .map((match) => spanOf(match))
  return [...found, ...tokens, ...own, ...docker]
}

const spanOf = ({ 0: whole, index }: RegExpExecArray, skipped = 0): Span => ({
  start: index + skipped,
  end: index + whole.length,
})
