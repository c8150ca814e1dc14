import { secretWithin } from '../contract/secret.ts'
import { keysOfServices } from './services.ts'
import type { MaskedSpan } from './view.ts'

const urlsAndHashes = [
  // Webhook URLs, which need no other key, and signed URLs.
  /(?<=\bdiscord(?:app)?\.com\/api\/webhooks\/\d{17,20}\/)[\w-]{40,}/g,
  /(?<=\bhooks\.slack\.com\/(?:workflows|triggers)\/)[A-Za-z0-9/]{30,}/g,
  /(?<=\bhooks\.zapier\.com\/hooks\/catch\/)[A-Za-z0-9/]{12,}/g,
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
  ['rar|unrar', '-hp'],
  // The colon after a drive of Windows does not begin a password.
  ['curl', '(?:-E\\s|--cert[ =])["\']?(?:[a-zA-Z]:[\\\\/])?(?![a-zA-Z]:[\\\\/])[^\\s:"\']{1,200}:'],
  ['nuget\\s(?:push|setapikey)', '-k\\s'],
  ['redis-cli', '-a\\s'],
  ['sqlcmd|bcp|zip|unzip', '-P\\s?'],
  ['ldap(?:search|modify|add|whoami|passwd)', '-w\\s'],
  ['ssh-keygen', '-[NP]\\s'],
  ['openssl', '-[kK]\\s'],
  ['secret\\sset', '(?:-b\\s|--body[ =])'],
  ['create\\ssecret', '--from-literal[ =][\\w.-]{1,100}='],
  ['secrets\\sset', '\\w{1,100}='],
  ['codecov', '-t\\s'],
]

/** Words of commands that read a password from their standard input. */
const reader = '(?:\\bsudo\\s-S|--password-stdin|--with-token|\\bsecret\\s(?:put|set)|\\benv\\sadd)\\b'

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
  // The same behind other letters: curl -sSu user:password.
  /(?<=\bcurl\b[^\n&|;]{0,200}?\s-[a-zA-Z]{1,8}u\s?["']?[A-Za-z][^\s:"']{0,63}:)[^\s"':…]{3,}/g,
  /(?<=\bhttps?\s(?:-a|--auth)[ =]["']?[A-Za-z][^\s:"']{0,63}:)[^\s"':…]{3,}/g,
  /(?<=\s-U\s?["']?[A-Za-z][\w.\\-]{0,63}%)[^\s"'…]{3,}/g,
  /(?<=\bhtpasswd\s-[a-zA-Z]{0,6}b[a-zA-Z]{0,6}\s\S{1,100}\s\S{1,64}\s["']?)[^\s"'$…]{3,}/g,
  // With -n, it needs no file.
  /(?<=\bhtpasswd\s-(?=[a-zA-Z]{0,6}n)[a-zA-Z]{0,6}b[a-zA-Z]{0,6}\s\S{1,64}\s["']?)[^\s"'$…]{3,}/g,
  /(?<=\b(?:(?:vault|cargo)\slogin|\sadd-authtoken|\spypi-token\.[\w-]{1,40})\s)(?=\S{0,60}\d)[^\s=-][^\s=]{7,}/g,
  /(?<=\becho\s["']?[a-z_][\w-]{0,31}:)[^\s"'|$]{3,200}(?=["']?\s?\|\s?(?:sudo\s)?chpasswd\b)/g,
  // A password that is piped into a command, or follows <<<.
  new RegExp(
    `(?<=\\b(?:echo|printf)\\s(?:-n\\s|${quote}%s(?:\\\\n)?${quote}\\s)?${quote})[^\\s"'|$]{4,200}(?=${quote}\\s?\\|[^\\n|;&]{0,200}?${reader})`,
    'g',
  ),
  new RegExp(`(?<=${reader}\\b[^\\n|]{0,100}<<<\\s?${quote})[^\\s"'$]{4,}`, 'g'),
  /(?<=\buser-secrets\sset\s["']?[\w:.-]{1,100}["']?\s["']?)[^\s"'$<…-][^\s"']{2,}/g,
  /(?<=\bConvertTo-SecureString\s(?:-String\s)?["'])[^"'$\n]{4,200}(?=["'])/gi,
  // Oracle's user/password@host.
  /(?<=\b(?:sqlplus\s|oracle:thin:)[\w$]{1,30}\/)[^\s/@]{3,}(?=@)/g,
]

/** A private key whose whole text is in base64 once more, as in a kubeconfig or a Secret of Kubernetes. */
const armored = new RegExp(
  `(?:${['', 'RSA ', 'EC ', 'DSA ', 'OPENSSH ', 'ENCRYPTED ']
    .map((kind) => Buffer.from(`-----BEGIN ${kind}PRIVATE KEY`).toString('base64').slice(0, -4))
    .join('|')})[A-Za-z0-9+/=]{20,}`,
  'g',
)

/**
 * Secrets that have a known form or a known prefix, and that secretlint does not find. Each pattern takes linear time on any
 * text: a match reads either a fixed length, or up to a character that every further match would have to contain.
 */
const forms = [
  ...Object.values(keysOfServices),
  ...urlsAndHashes,
  ...commands,
  // An encrypted JSON Web Token. Its second part is empty if both sides share the key.
  /\beyJ(?:hbGci|lbmMi|raWQi|0eXAi|jdHki)Oi[A-Za-z0-9_-]{10,500}\.[A-Za-z0-9_-]{0,700}\.[A-Za-z0-9_-]{16,22}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{22,43}/g,
  // A private key, even if its end is missing.
  /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----|$)/g,
  armored,
  /(?<=\bBearer\s{1,4})[A-Za-z0-9._~+/-]{20,}=*/gi,
  /(?<=\bauthorization["']?\s?[:=,]\s?["']?(?:Basic|Bearer|Digest|Token|ApiKey|SSWS)\s(?:token="?)?)(?!token\b|your)[^\s"',;<>$[{.…][^\s"',;]{3,}/gi,
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
  // A private key of PuTTY.
  /(?<=\bPrivate-Lines: \d{1,3}\r?\n)[A-Za-z0-9+/=]{4,64}(?:\r?\n[A-Za-z0-9+/=]{4,64}(?![\w-]))*/g,
  // .netrc, .pgpass, and the settings of Redis.
  /(?<=\bmachine\s{1,4}\S{1,100}\s{1,4}login\s{1,4}\S{1,100}\s{1,4}password[ \t]{1,4})\S{3,}/g,
  /(?<=^[^\s:]{1,100}:(?:5432|5433|6432|\*):[^\s:]{1,64}:[^\s:]{1,64}:)\S{3,}$/gm,
  /(?<=^[ \t]{0,8}requirepass[ \t])\S{3,}/gm,
  // A jar of cookies as Netscape wrote it, and curl does.
  /(?<=^[^\t\n]{1,255}\t(?:TRUE|FALSE)\t[^\t\n]{1,255}\t(?:TRUE|FALSE)\t\d{1,12}\t[^\t\n]{1,255}\t)\S{6,}$/gm,
  // The code that an OAuth client exchanges for a token.
  /(?<=[?&](?:state=[\w.~%-]{1,300}&)?code=)(?=[^\s&\d]{0,99}\d)[\w.~%/-]{12,1000}(?=&state=)|(?<=[?&]state=[\w.~%-]{1,300}&code=)(?=[^\s&\d]{0,99}\d)[\w.~%/-]{12,}/g,
  // auth=('ada', '…') and HTTPBasicAuth('ada', '…') of Python, SetBasicAuth("ada", "…") of Go.
  /(?<=\b(?:auth\s?=\s?|\w{0,40}(?:Basic|Digest)Auth)\(\s?["'][^"'\n]{1,100}["'],\s?["'])[^"'\s]{3,200}(?=["'])/g,
  // SQL.
  /(?<=\bPRAGMA\s(?:re)?key\s?=\s?["'])[^"'\n]{3,200}(?=["'])/gi,
  /(?<=\b(?:identified\sby|(?:with|login|encrypted|(?:alter|create)\s(?:role|user)\s\S{1,64})\spassword|password\sfor\s\S{1,64}\s=)\s["'])[^"'\n]{3,200}(?=["'])/gi,
]

/** Finds a JSON Web Token by its second part, which has the same prefix as its first. */
const webToken = /(?<=(?<head>eyJ[A-Za-z0-9_-]{10,})\.)eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/g

/** The user and password that docker stores in config.json, in base64. */
const dockerAuth = /(?<="auth"\s?:\s?")[A-Za-z0-9+/]{8,}={0,2}(?=")/g
const isUserAndPassword = (text: string) => {
  const decoded = Buffer.from(text, 'base64').toString('latin1')
  return /^[\x20-\x7e]+$/.test(decoded) && decoded.slice(1, -1).includes(':')
}

export function formsIn(text: string): MaskedSpan[] {
  const found = forms.flatMap((form) => [...text.matchAll(form)].map((match) => spanOf(match)))
  const tokens = [...text.matchAll(webToken)].map((match) => spanOf(match, -1 - (match.groups?.head?.length ?? 0)))
  const own = [...text.matchAll(secretWithin)].map((match) => ({ ...spanOf(match, match[1]?.length), mark: '…' }))
  const docker = [...text.matchAll(dockerAuth)]
    .filter(([auth]) => isUserAndPassword(auth))
    .map((match) => spanOf(match))
  return [...found, ...tokens, ...own, ...docker]
}

const spanOf = ({ 0: whole, index }: RegExpExecArray, skipped = 0): MaskedSpan => ({
  start: index + skipped,
  end: index + whole.length,
})

/** What holds secrets, and the form of the secrets in it. */
const holders: [holder: RegExp, secret: RegExp][] = [
  // A Cookie or Set-Cookie header, or the option of curl that sends one: a cookie whose name or value marks it as one of a session.
  [
    /(?:\bcookie["']?\s?[:,]\s?|\s--cookie[ =]|\bcurl\b[^\n&|;]{0,200}?\s-b\s)["']?(?<held>[^\n]{1,4096})/gi,
    /(?<=\b[\w.-]{0,40}(?:sess|sid|auth|token|jwt|login|remember|__host-|__secure-)[\w.-]{0,40}=)[^\s;"',…]{6,}|(?<==)(?=[^\s;"',\d]{0,99}\d)[^\s;"',]{16,}/gi,
  ],
  // A JSON Web Key: the parts that are private.
  [/(?<held>\{[^{}]{0,6000}"kty"[^{}]{0,6000}\})/g, /(?<="(?:d|p|q|dp|dq|qi|k)"\s?:\s?")[\w-]{8,}/g],
]

/** The values of session cookies, and the private parts of JSON Web Keys. */
export const heldIn = (text: string): MaskedSpan[] =>
  holders.flatMap(([holder, secret]) =>
    [...text.matchAll(holder)].flatMap((match) => {
      const held = match.groups?.held ?? ''
      const from = match.index + match[0].length - held.length
      return [...held.matchAll(secret)].map(({ 0: whole, index }) => ({
        start: from + index,
        end: from + index + whole.length,
      }))
    }),
  )
