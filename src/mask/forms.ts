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
  /(?<=\bBearer\s{1,4})[A-Za-z0-9._~+/-]{20,}=*/gi,
  /(?<=\bauthorization["']?\s?[:=]\s?["']?(?:Basic|Digest|Token|ApiKey)\s)[^\s"',;]{4,}/gi,
  /(?<=:\/\/[^\s/:@]{0,100}:)[^\s/@]+(?=@)/g,
  // The .npmrc of older registries.
  /(?<=(?<!\w)_auth\s?=\s?["']?)[A-Za-z0-9+/=]{8,}/g,
  // curl -u user:password. Numbers are ids, and equal names those of a user and a group.
  /(?<=\s(?:-u|--user)[ =]?["']?(?<user>[A-Za-z][^\s:"']{0,63}):)(?!\k<user>\b)[^\s"':…]{3,}/g,
  /(?<=\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n]{0,200}?\s-p["']?)[^\s"'$<…-][^\s"']{2,}/g,
  /(?<=\bsshpass\s-p\s?["']?)[^\s"'$<-][^\s"']{2,}/g,
]

/** A JSON Web Token is found by its second part, which begins as the first does. */
const webToken = /(?<=(?<head>eyJ[A-Za-z0-9_-]{10,})\.)eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/g

export function formsIn(text: string): Span[] {
  const found = forms.flatMap((form) => [...text.matchAll(form)].map((match) => spanOf(match)))
  const tokens = [...text.matchAll(webToken)].map((match) => spanOf(match, -1 - (match.groups?.head?.length ?? 0)))
  const own = [...text.matchAll(secretWithin)].map((match) => ({ ...spanOf(match, match[1]?.length), mark: '…' }))
  return [...found, ...tokens, ...own]
}

const spanOf = ({ 0: whole, index }: RegExpExecArray, skipped = 0): Span => ({
  start: index + skipped,
  end: index + whole.length,
})
