import type { MaskedSpan } from './view.ts'

/** Endings of the names of secrets; a `suffix` may follow. On their own, `pass`, `pwd` and `key` mean other things. */
const names = [
  'passwor[dt]|passwd|passphrase|passcode|(?:store|key)pass|(?<=[_-])(?:pass|pwd|pw)|(?<=;)pwd',
  'secret|token|credentials?|(?<=[a-z0-9]_)auth|(?<=oauth2-)bearer|(?<=bw_)session',
  '(?:api|access|auth|account|private|secret|signing|encryption|master|session|shared|role|anon|app|application|subscription|instrumentation)[_-]?key|(?<=[a-z0-9]_)key',
]
const suffix = '(?:[_-]?(?:key|base|id|value|prod|production|dev|test|staging|v?\\d{1,2})){0,3}'

/** As the source of a regular expression. */
const nameOfSecret = `(?:${names.join('|')})${suffix}`

/** What stands between name and value: a sign, or a blank after a flag. */
const sign = '(?<sign>[ \\t]?["\']?\\]?[ \\t]{0,20}(?:=>|:=|[:=])(?![:=])[ \\t]{0,20}|[ \\t](?=\\S))'
const value =
  '(?:"(?<quoted>[^"\\r\\n]{1,1000})"|\'(?<quoted>[^\'\\r\\n]{1,1000})\'|`(?<ticked>[^\\s`$]{1,1000})`|(?<bare>[^\\s"\'`]+))'

const assignment = new RegExp(`(?<name>${nameOfSecret})${sign}${value}`, 'dgi')

/** How many characters before a name decide what kind of line it is in. */
const beforeLength = 60

/** Returns the spans of values that are assigned to names of secrets: `DB_PASSWORD=…`, `"apiKey": "…"`, `--token …`. */
export function namedIn(text: string): MaskedSpan[] {
  return [...text.matchAll(assignment)].flatMap((match) => {
    const { name = '', sign = '', quoted, ticked, bare = '' } = match.groups ?? {}
    const { quoted: inQuotes, ticked: inTicks, bare: inNone } = match.indices?.groups ?? {}
    const [start = 0] = inQuotes ?? inTicks ?? inNone ?? []
    const until = match.index + match[0].length
    const before = lineBefore(text.slice(Math.max(0, match.index - beforeLength), match.index))
    const isLast = /^[ \t]*(?:[\r\n]|$)/.test(text.slice(until, until + 20))
    // Between backticks, a shell has a command, and a page may have any word.
    const form = ticked && sign.trim() ? 'text' : formOf(before, name, sign, isLast)
    if (form === 'none') return []
    const isSetting = form === 'setting'
    const found = quoted?.trimEnd() ?? ticked ?? (isSetting ? bare : (/^[^,;&<>()[\]{}|\\]*/.exec(bare)?.[0] ?? ''))
    const rest = bare.slice(found.length)
    return isSecret({ name, before, form, found, rest, isQuoted: quoted !== undefined })
      ? [{ start, end: start + found.length }]
      : []
  })
}

const lineBefore = (text: string) => text.slice(Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1)

/**
 * The kind of line that assigns the value. `setting`: an environment variable, in a .env file or before a command. `entry`: a
 * line of YAML or of a properties file with nothing else in it. `plain`: `name=value` or a flag. `text`: any other
 * assignment. `none`: no assignment.
 */
type Form = 'setting' | 'entry' | 'plain' | 'text' | 'none'

function formOf(before: string, name: string, sign: string, isLast: boolean): Form {
  if (sign.trim() === '') {
    if (/(?:^|\s)--?[\w-]*$/.test(before) || /\blogin\s+\S+\s+$/.test(before)) return 'plain'
    // ENV of a Dockerfile, and set -x of fish.
    if (/^\s*ENV\s+\w*$|\bset\s+-\w*x\w*\s+\w*$/.test(before)) return 'setting'
    return /\bsetx?\s+\S*$/.test(before) ? 'text' : 'none'
  }
  const beginning = before + name
  if (sign === '=') {
    const isSetting = /(?:^|[\s"'?&=])[A-Z][A-Z0-9_]*$/.test(beginning) || /^\s*export\s\w+$/.test(beginning)
    return isSetting ? 'setting' : 'plain'
  }
  return isLast && /^: +$/.test(sign) && /^[\s-]*[\w.][\w.-]*$/.test(beginning) ? 'entry' : 'text'
}

interface Assigned {
  name: string
  before: string
  form: Form
  found: string
  rest: string
  isQuoted: boolean
}

function isSecret({ name, before, form, found, rest, isQuoted }: Assigned): boolean {
  if (isPlaceholder(found)) return false
  const isSetting = form === 'setting'
  // The name ends in KEY, with no word that would say which kind of key.
  if (/^key$/i.test(name)) {
    return (
      isSetting &&
      !/(?:PUBLIC|CACHE|SORT|PRIMARY|PARTITION|FOREIGN)_$/i.test(before) &&
      found.length >= 16 &&
      /\d/.test(found)
    )
  }
  if (!isSetting && isReference(found, rest)) return false
  if (isSetting || isQuoted) return isValue(found, isSetting)
  return isDrawn(found, name) || isWord({ name, form, found, rest })
}

/** Whether a text that is certainly a value is long enough for a secret. */
const isValue = (text: string, mayHaveBlanks: boolean) => text.length >= 4 && (mayHaveBlanks || !/\s/.test(text))

/** Whether a value among other words looks random, or like a password. */
function isDrawn(text: string, name: string): boolean {
  if (text.length < 6) return false
  if (/^[\d.]+$/.test(text)) return text.length >= 8 && /key$/i.test(name)
  if (/\d/.test(text)) return true
  return isPassword(name) && /[^A-Za-z._]/.test(text.slice(0, -1))
}

/** Whether a plain word is a password, because only a value can stand in its place. */
function isWord({ name, form, found, rest }: Pick<Assigned, 'name' | 'form' | 'found' | 'rest'>): boolean {
  if (found.length < 4 || !/^[\w.-]+$/.test(found) || /^[A-Z_]+$/.test(found)) return false
  if (form === 'entry') return isPassword(name) || /^[A-Z0-9_]+$/.test(name)
  return form === 'plain' && isPassword(name) && /^(?:$|[;&])/.test(rest)
}

const isPassword = (name: string) => /^(?:pass|pwd|pw)/i.test(name)

const placeholders =
  /^(?:string|number|boolean|bool|null|none|nil|undefined|true|false|unknown|required|optional|missing|invalid|expired|revoked|empty|redacted|hidden|changed|your[\w-]*|example[\w-]*|bearer|basic|code|text|type|file|path|prompt|stdin|value|yes|no|on|off|#[0-9a-f]{3,8}|x{3,}|\*+|\.{3,}|#+|-+)$/i

/** Whether a text is a placeholder for a value that is hidden or not set yet. */
const isPlaceholder = (text: string) =>
  placeholders.test(text) || /^(?:[$<{%*]|\[masked\]|\\?[/~]|\.{1,2}\/|[a-z]+:\/\/)/i.test(text) || text.includes('…')

/** Whether a text refers to a value instead of being one. */
function isReference(text: string, rest: string): boolean {
  return (
    // A call, an index, a member of an object, or a variable that is named after its content.
    /^[([]/.test(rest) ||
    /^[A-Za-z_$][\w$]*(?:(?:\?\.|\.|->|::)[A-Za-z_$][\w$]*)+$/.test(text) ||
    /^[A-Za-z_$-]*(?:password|passwd|pwd|secret|token|key|credentials?)s?$/i.test(text)
  )
}

/** What may stand between the name of a secret and its value, other than a sign. */
const between = [
  // - name: DB_PASSWORD, value: … on the same line or the next; also key="ApiKey" value="…"
  `["']?[ \\t]?,?\\s{0,60}["']?\\bvalue["']?[ \\t]?[:=][ \\t]?`,
  // define('DB_PASSWORD', '…'), os.Setenv("API_KEY", "…")
  `["'][ \\t]?,[ \\t]?(?=["'])`,
  // process.env.DB_PASSWORD || '…': the fallback of a variable.
  `["'\\])]{0,3}[ \\t]?(?:\\|\\||\\?\\?|\\bor\\b)[ \\t]?(?=["'])`,
  // const API_SECRET: &str = "…"
  `[ \\t]?:[ \\t]?&?[\\w<>]{1,30}[ \\t]?=[ \\t]?(?=["'])`,
  // String::from("…")
  `[ \\t]?[:=][ \\t]?(?:String::from|Secret(?:Str|String)(?:::\\w{1,20})?|Buffer\\.from|Some)\\((?=["'])`,
  // <clientSecret>…</clientSecret>
  `>(?=[^\\s<]{1,1000}</)`,
  // setPassword("…")
  `(?<=\\bset_?[A-Za-z]{0,40})\\((?=["'])`,
]

/** A block of YAML, each line of which is one word. */
const lineBreak = '[ \\t]{0,8}\\r?\\n'
const block = `["']?:[ \\t]{1,20}[|>][+-]?${lineBreak}(?<indent>[+-]?[ \\t]{1,40})(?<value>\\S{1,1000}(?:${lineBreak}\\k<indent>\\S{1,1000})*)(?=${lineBreak}|$)`

const pair = new RegExp(
  `(?<name>${nameOfSecret})(?:(?:${between.join('|')})(?:"(?<value>[^"\\r\\n]{1,1000})"|'(?<value>[^'\\r\\n]{1,1000})'|(?<value>[^\\s"'\`,;<>]+))|${block})`,
  'dgi',
)

/** Values that follow the name of a secret: the next argument of a call, a `value` beside a `name`, a fallback. */
export function pairsIn(text: string): MaskedSpan[] {
  return [...text.matchAll(pair)].flatMap(({ groups = {}, indices }) => {
    const { name = '', value = '', indent } = groups
    const span = indices?.groups?.value
    const isSecret = (indent !== undefined || /^\S+$/.test(value)) && isDrawn(value, name) && !isPlaceholder(value)
    return span && isSecret ? [{ start: span[0], end: span[1] }] : []
  })
}
