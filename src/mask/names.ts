import type { Span } from './span.ts'

/** What the name of a secret ends with, but for what `suffix` allows to follow. `pass`, `pwd` and `key` alone mean other things. */
const names = [
  'password|passwd|passphrase|(?:store|key)pass|(?<=[_-])(?:pass|pwd|pw)|(?<=;)pwd',
  'secret|token|credentials?|(?<=[a-z0-9]_)auth|(?<=oauth2-)bearer',
  '(?:api|access|auth|account|private|secret|signing|encryption|master|session|shared|role|anon|app|subscription|instrumentation)[_-]?key|(?<=[a-z0-9]_)key',
]
const suffix = '(?:[_-]?(?:key|base|id|value|prod|production|dev|test|staging|v?\\d{1,2})){0,3}'

/** As the source of a regular expression. */
export const nameOfSecret = `(?:${names.join('|')})${suffix}`

/** How a value is assigned: by a sign, or, to a flag, by a blank. */
const sign = '(?<sign>[ \\t]?["\']?\\]?[ \\t]{0,20}(?:=>|:=|[:=])(?![:=])[ \\t]{0,20}|[ \\t](?=\\S))'
const value = '(?:"(?<double>[^"\\r\\n]{1,1000})"|\'(?<single>[^\'\\r\\n]{1,1000})\'|(?<bare>[^\\s"\'`]+))'

const assignment = new RegExp(`(?<name>${nameOfSecret})${sign}${value}`, 'dgi')

/** How many characters before a name tell what kind of line it stands in. */
const beforeLength = 60

/** The values that are assigned to names of secrets, as in `DB_PASSWORD=…`, `"apiKey": "…"`, and `--token …`. */
export function namedIn(text: string): Span[] {
  return [...text.matchAll(assignment)].flatMap((match) => {
    const { name = '', sign = '', double, single, bare = '' } = match.groups ?? {}
    const quoted = double ?? single
    const start =
      match.indices?.groups?.[quoted === undefined ? 'bare' : double === undefined ? 'single' : 'double']?.[0]
    if (start === undefined) return []
    const until = match.index + match[0].length
    const before = lineBefore(text.slice(Math.max(0, match.index - beforeLength), match.index))
    const form = formOf(before, name, sign, /^[ \t]*(?:[\r\n]|$)/.test(text.slice(until, until + 20)))
    if (form === 'none') return []
    const isSetting = form === 'setting'
    const found = quoted?.trimEnd() ?? (isSetting ? bare : (/^[^,;&<>()[\]{}|\\]*/.exec(bare)?.[0] ?? ''))
    const rest = quoted === undefined ? bare.slice(found.length) : ''
    return isSecret({ name, before, form, found, rest, isQuoted: quoted !== undefined })
      ? [{ start, end: start + found.length }]
      : []
  })
}

const lineBefore = (text: string) => text.slice(Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1)

/**
 * What kind of line assigns the value. `setting`: a line of a .env file, or a command's. `entry`: a line of YAML or of
 * properties that holds nothing else. `plain`: `name=value` or a flag. `text`: anything else. `none`: nothing is assigned.
 */
type Form = 'setting' | 'entry' | 'plain' | 'text' | 'none'

function formOf(before: string, name: string, sign: string, isLast: boolean): Form {
  if (sign.trim() === '') {
    if (/(?:^|\s)--?[\w-]*$/.test(before) || /\blogin\s+\S+\s+$/.test(before)) return 'plain'
    if (/^\s*ENV\s+\w*$/.test(before)) return 'setting'
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
  // A name that says no more than KEY.
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

/** Whether a value that is surely one is more than a placeholder. */
const isValue = (text: string, mayHaveBlanks: boolean) => text.length >= 4 && (mayHaveBlanks || !/\s/.test(text))

/** Whether a value among other words looks drawn at random, or like a password. */
export function isDrawn(text: string, name: string): boolean {
  if (text.length < 6) return false
  if (/^[\d.]+$/.test(text)) return text.length >= 8 && /key$/i.test(name)
  if (/\d/.test(text)) return true
  return isPassword(name) && /[^A-Za-z._]/.test(text.slice(0, -1))
}

/** Whether a password that is a plain word is assigned where nothing but a value can stand. */
function isWord({ name, form, found, rest }: Pick<Assigned, 'name' | 'form' | 'found' | 'rest'>): boolean {
  if (found.length < 4 || !/^[\w.-]+$/.test(found) || /^[A-Z_]+$/.test(found)) return false
  if (form === 'entry') return isPassword(name) || /^[A-Z0-9_]+$/.test(name)
  return form === 'plain' && isPassword(name) && /^(?:$|[;&])/.test(rest)
}

const isPassword = (name: string) => /^(?:pass|pwd|pw)/i.test(name)

const placeholders =
  /^(?:string|number|boolean|bool|null|none|nil|undefined|true|false|unknown|required|optional|missing|invalid|expired|revoked|empty|redacted|hidden|changed|your[\w-]*|example[\w-]*|bearer|basic|code|text|type|file|path|prompt|stdin|value|yes|no|on|off|#[0-9a-f]{3,8}|x{3,}|\*+|\.{3,}|#+|-+)$/i

/** Whether a text stands for a value that is not shown, or is still to be set. */
export const isPlaceholder = (text: string) =>
  placeholders.test(text) || /^(?:[$<{%*]|\[masked\]|\\?[/~]|\.{1,2}\/|[a-z]+:\/\/)/i.test(text) || text.includes('…')

/** Whether a text only names where a value comes from. */
function isReference(text: string, rest: string): boolean {
  return (
    // A call, an index, a member of something, a variable that has the name of what it holds.
    /^[([]/.test(rest) ||
    /^[A-Za-z_$][\w$]*(?:(?:\?\.|\.|->|::)[A-Za-z_$][\w$]*)+$/.test(text) ||
    /^[A-Za-z_$-]*(?:password|passwd|pwd|secret|token|key|credentials?)s?$/i.test(text)
  )
}
