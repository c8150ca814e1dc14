import { secretWithin } from '../contract/secret.ts'
import type { Span } from './view.ts'

/**
 * Keys of services that secretlint does not find, and hashes of passwords, by their form. Each pattern begins with fixed letters
 * and reads a fixed length or the alphabet of the key, so that it takes linear time.
 */
const keys = [
  /\bsk-[A-Za-z0-9_-]{32,}/g,
  /\bAIza[A-Za-z0-9_-]{35}/g,
  /\bhf_[A-Za-z0-9]{34}\b/g,
  /\bpypi-AgE[A-Za-z0-9_-]{40,}/g,
  // Google: access and refresh tokens.
  /\bya29\.[A-Za-z0-9_-]{20,}/g,
  /\b1\/\/0[A-Za-z0-9_-]{20,}/g,
  /\bGOCSPX-[A-Za-z0-9_-]{28}/g,
  // GitLab: runners, deployments, triggers, feeds and others. age.
  /\bgl(?:rtr?|dt|cbt|ptt|ft|imt|agent|wt|soat|ffct|oas)-[A-Za-z0-9_.-]{20,}/g,
  /\bAGE-SECRET-KEY-1[0-9A-Z]{58}\b/g,
  // Airtable, Atlassian, Buildkite, CircleCI, crates.io, DigitalOcean, Doppler, Facebook.
  /\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}\b/g,
  /\bATATT3x[A-Za-z0-9_=-]{50,}/g,
  /\bbkua_[0-9a-f]{40}\b/g,
  /\bCCIPAT_[A-Za-z0-9]{22}_[0-9a-f]{40}\b/g,
  /\bcio[A-Za-z0-9]{32}\b/g,
  /\bdo[opr]_v1_[0-9a-f]{64}\b/g,
  /\bdp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9]{40,}/g,
  /\bEAACEdEose0cBA[A-Za-z0-9]{20,}/g,
  // Grafana Cloud, Mailchimp, Mailgun, Netlify, New Relic, Notion, Perplexity, Postman, Pulumi.
  /\bglc_[A-Za-z0-9+/=]{32,}/g,
  /\b[0-9a-f]{32}-us\d{1,2}\b/g,
  /\bkey-[0-9a-f]{32}\b/g,
  /\bnfp_[A-Za-z0-9]{36}\b/g,
  /\bNRAK-[A-Z0-9]{27}\b/g,
  /\bntn_[A-Za-z0-9]{40,}/g,
  /\bsecret_[A-Za-z0-9]{43}\b/g,
  /\bpplx-[A-Za-z0-9]{40,}/g,
  /\bPMAK-[0-9a-f]{24}-[0-9a-f]{34}\b/g,
  /\bpul-[0-9a-f]{40}\b/g,
  // Replicate, RubyGems, Sentry, Square, Supabase, Telegram, Twilio, webhooks, Slack's apps, xAI.
  /\br8_[A-Za-z0-9]{37}\b/g,
  /\brubygems_[0-9a-f]{48}\b/g,
  /\bsntry[su]_[A-Za-z0-9_=+/]{40,}/g,
  /\bsq0(?:atp|csp)-[A-Za-z0-9_-]{22,}/g,
  /\bsbp_[0-9a-f]{40}\b/g,
  /(?<!\d)\d{8,10}:AA[A-Za-z0-9_-]{33}\b/g,
  /\bSK[0-9a-f]{32}\b/g,
  /\bwhsec_[A-Za-z0-9+/=]{24,}/g,
  /\bxapp-\d-[A-Z0-9]{8,20}-\d{10,20}-[0-9a-f]{32,}/g,
  /\bxai-[A-Za-z0-9]{60,}/g,
  // Webhook URLs, which need no other key, and signed URLs.
  /(?<=\bdiscord(?:app)?\.com\/api\/webhooks\/\d{17,20}\/)[\w-]{40,}/g,
  /(?<=\/IncomingWebhook\/)[0-9a-f]{32}\b/g,
  /(?<=[?&](?:sig|(?:X-(?:Amz|Goog)-)?Signature)=)[A-Za-z0-9%+/_-]{20,}/gi,
  // Hashes of passwords by crypt, Apache, bcrypt and Argon2.
  /\$(?:apr1|[156y])\$[./A-Za-z0-9]{1,32}\$[./A-Za-z0-9]{22,}/g,
  /\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}/g,
  /\$argon2(?:id|i|d)\$v=\d{1,3}\$[\w=,]{1,60}\$[+/A-Za-z0-9]{8,100}\$[+/A-Za-z0-9]{20,}/g,
]

/** The quote before a word of a command line, and the word. */
const [quote, word] = [`["']?`, `[^\\s"'$<…-][^\\s"']{2,}`]
/** A command and the words between it and its option. */
const of = (names: string) => `\\b(?:${names})\\b[^\\n&|;]{0,200}?\\s`

/** Commands, and the option by which each takes a password. */
const options: [commands: string, option: string][] = [
  ['login|mongo|mongosh|mongodump|mongorestore|twine', '-p\\s'],
  ['mysql|mysqldump|mysqladmin|mariadb|7z|7za|unrar', '-p'],
  ['redis-cli', '-a\\s'],
  ['sqlcmd|bcp|zip|unzip', '-P\\s?'],
  ['ldap(?:search|modify|add|whoami|passwd)', '-w\\s'],
  ['ssh-keygen', '-[NP]\\s'],
  ['openssl', '-[kK]\\s'],
  ['secret\\sset', '(?:-b\\s|--body[ =])'],
]

/**
 * Passwords in arguments of commands. A pattern looks back at most 200 characters from a password, so that it takes linear time.
 */
const commands = [
  ...options.map(([names, option]) => new RegExp(`(?<=${of(names)}${option}${quote})${word}`, 'g')),
  /(?<=\bsshpass\s-p\s?["']?)[^\s"'$<-][^\s"']{2,}/g,
  /(?<=\s-pass(?:in|out)?\s["']?pass:)[^\s"'$<…]{3,}/g,
  // curl -u user:password. Numbers are ids, and equal names those of a user and a group.
  /(?<=\s(?:-u|--(?:proxy-)?user)[ =]?["']?(?<user>[A-Za-z][^\s:"']{0,63}):)(?!\k<user>\b)[^\s"':…]{3,}/g,
  /(?<=\s(?:-u|--(?:proxy-)?user)[ =]?(?<quote>["'])[A-Za-z][^\s:"']{0,63}:)[^"'\n…]{3,}(?=\k<quote>)/g,
  /(?<=\bhttps?\s(?:-a|--auth)[ =]["']?[A-Za-z][^\s:"']{0,63}:)[^\s"':…]{3,}/g,
  /(?<=\s-U\s?["']?[A-Za-z][\w.\\-]{0,63}%)[^\s"'…]{3,}/g,
  /(?<=\bhtpasswd\s-[a-zA-Z]{0,6}b[a-zA-Z]{0,6}\s\S{1,100}\s\S{1,64}\s["']?)[^\s"'$…]{3,}/g,
  /(?<=\bvault\slogin\s)(?=\S{0,60}\d)[^\s=-][^\s=]{7,}/g,
  // A password that is piped into a command.
  /(?<=\becho\s(?:-n\s)?["']?)[^\s"'|$]{4,200}(?=["']?\s?\|\s?(?:sudo\s-S|[^\n|]{1,200}--password-stdin)\b)/g,
  /(?<=\bsudo\s-S\b[^\n|]{0,100}<<<\s?["']?)[^\s"'$]{4,}/g,
  // Oracle's user/password@host.
  /(?<=\b(?:sqlplus\s|oracle:thin:)[\w$]{1,30}\/)[^\s/@]{3,}(?=@)/g,
]

/**
 * Secrets that have a known form or a known prefix, and that secretlint does not find. Each pattern takes linear time on any
 * text: a match reads either a fixed length, or up to a character that every further match would have to contain.
 */
const forms = [
  ...keys,
  ...commands,
  // A private key, even if its end is missing.
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

/** A Cookie or Set-Cookie header, or the option of curl that sends one. */
const header = /(?:\bcookie["']?\s?[:,]\s?|\s--cookie[ =]|\bcurl\b[^\n&|;]{0,200}?\s-b\s)["']?(?<pairs>[^\n]{1,4096})/gi

/** A cookie that its name or its value marks as one of a session. */
const cookie =
  /(?<=\b[\w.-]{0,40}(?:sess|sid|auth|token|jwt|login|remember|__host-|__secure-)[\w.-]{0,40}=)[^\s;"',…]{6,}|(?<==)(?=[^\s;"',\d]{0,99}\d)[^\s;"',]{16,}/gi

/** The values of session cookies. */
export function cookiesIn(text: string): Span[] {
  return [...text.matchAll(header)].flatMap((match) => {
    const pairs = match.groups?.pairs ?? ''
    const from = match.index + match[0].length - pairs.length
    return [...pairs.matchAll(cookie)].map(({ 0: whole, index }) => ({
      start: from + index,
      end: from + index + whole.length,
    }))
  })
}
