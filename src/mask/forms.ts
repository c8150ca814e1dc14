import { secretWithin } from '../ledger/secret.ts'
import type { Span } from './span.ts'

/**
 * Secrets that their form or the characters before them give away, and that secretlint leaves. Each pattern takes linear
 * time on any text: from where it may begin it reads a fixed length, or up to what every other beginning contains.
 */
const forms = [
  // Also one that is cut off.
  /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----|$)/g,
  /\bsk-[A-Za-z0-9_-]{32,}/g,
  /\bAIza[A-Za-z0-9_-]{35}/g,
  /\bhf_[A-Za-z0-9]{34}\b/g,
  /\bpypi-AgE[A-Za-z0-9_-]{40,}/g,
  // Google: access and refresh tokens.
  /\bya29\.[A-Za-z0-9_-]{20,}/g,
  /\b1\/\/0[A-Za-z0-9_-]{20,}/g,
  /(?<=\bBearer\s{1,4})[A-Za-z0-9._~+/-]{20,}=*/gi,
  /(?<=\bauthorization["']?\s?[:=]\s?["']?(?:Basic|Bearer|Digest|Token|ApiKey)\s)(?!token\b|your)[^\s"',;<>$[{.…][^\s"',;]{3,}/gi,
  /(?<=:\/\/[^\s/:@]{0,100}:)[^\s/@]+(?=@)/g,
  // A token in the place of a user.
  /(?<=https?:\/\/)(?=[A-Za-z_-]{0,99}\d)[A-Za-z0-9_-]{20,}(?=@)/g,
  /(?<=<(?:password|passphrase|secret|token|api-?key|private-?key)>)[^<\s$[…]{3,1000}(?=<\/)/gi,
  // The .npmrc of older registries.
  /(?<=(?<!\w)_auth\s?=\s?["']?)[A-Za-z0-9+/=]{8,}/g,
  // curl -u user:password. Numbers are ids, and equal names those of a user and a group.
  /(?<=\s(?:-u|--user)[ =]?["']?(?<user>[A-Za-z][^\s:"']{0,63}):)(?!\k<user>\b)[^\s"':…]{3,}/g,
  /(?<=\s(?:-u|--user)[ =]?(?<quote>["'])[A-Za-z][^\s:"']{0,63}:)[^"'\n…]{3,}(?=\k<quote>)/g,
  /(?<=\bhttps?\s(?:-a|--auth)[ =]["']?[A-Za-z][^\s:"']{0,63}:)[^\s"':…]{3,}/g,
  /(?<=\s-pass(?:in|out)?\s["']?pass:)[^\s"'$<…]{3,}/g,
  /(?<=\b(?:login|mongo|mongosh|mongodump|mongorestore)\b[^\n&|;]{0,200}?\s-p\s["']?)[^\s"'$<…-][^\s"']{2,}/g,
  /(?<=\bredis-cli\b[^\n&|;]{0,200}?\s-a\s["']?)[^\s"'$<…-][^\s"']{2,}/g,
  /(?<=\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n&|;]{0,200}?\s-p["']?)[^\s"'$<…-][^\s"']{2,}/g,
  /(?<=\bsshpass\s-p\s?["']?)[^\s"'$<-][^\s"']{2,}/g,
]

/** A JSON Web Token is found by its second part, which begins as the first does. */
const webToken = /(?<=(?<head>eyJ[A-Za-z0-9_-]{10,})\.)eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/g

/** The values of a Cookie header, and what of them may be a session. */
const [cookies, cookie] = [/\bcookie["']?\s?:\s?([^\n]{1,4096})/gi, /(?<==)(?=[^\s;"',\d]{0,99}\d)[^\s;"',]{16,}/g]

function cookiesIn(text: string): Span[] {
  return [...text.matchAll(cookies)].flatMap((header) => {
    const [whole, pairs = ''] = header
    const from = header.index + whole.length - pairs.length
    return [...pairs.matchAll(cookie)]
      .map((match) => spanOf(match))
      .map(({ start, end }) => ({ start: from + start, end: from + end }))
  })
}

/** What docker keeps in its config.json: user and password in base64. */
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
  return [...found, ...tokens, ...own, ...docker, ...cookiesIn(text)]
}

const spanOf = ({ 0: whole, index }: RegExpExecArray, skipped = 0): Span => ({
  start: index + skipped,
  end: index + whole.length,
})
