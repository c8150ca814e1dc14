import type { Span } from './span.ts'

/** What the name of a secret ends with, but for what `suffix` allows to follow. `pass` and `pwd` alone mean other things. */
const names = [
  'password|passwd|passphrase|(?<=[_-])(?:pass|pwd)',
  'secret|token|credentials?',
  '(?:api|access|auth|account|private|secret|signing|encryption|master|session|shared)[_-]?key',
]
const suffix = '(?:[_-]?(?:key|base|id|value|prod|production|dev|test|staging|v?\\d{1,2})){0,3}'

/** How a value is assigned: by a sign, or, to a flag, by a blank. */
const sign = '(?<sign>[ \\t]?["\']?\\]?[ \\t]{0,20}(?:=>|:=|[:=])(?![:=])[ \\t]{0,20}|[ \\t](?=\\S))'
const value = '(?:"(?<double>[^"\\r\\n]{1,1000})"|\'(?<single>[^\'\\r\\n]{1,1000})\'|(?<bare>[^\\s"\'`]+))'

const assignment = new RegExp(`(?<name>(?:${names.join('|')})${suffix})${sign}${value}`, 'dgi')

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
    const before = lineBefore(text.slice(Math.max(0, match.index - beforeLength), match.index))
    if (sign.trim() === '' && !/(?:^|\s)--[\w-]*$/.test(before)) return []
    const isSetting = isSettingLine(before + name, sign)
    const found = quoted?.trimEnd() ?? (isSetting ? bare : (/^[^,;&<>()[\]{}|\\]*/.exec(bare)?.[0] ?? ''))
    const rest = quoted === undefined ? bare.slice(found.length) : ''
    const isSecret = isSetting || quoted !== undefined ? isValue(found, isSetting) : isDrawn(found, name)
    return isSecret && !isPlaceholder(found) && (isSetting || !isReference(found, rest))
      ? [{ start, end: start + found.length }]
      : []
  })
}

const lineBefore = (text: string) => text.slice(Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1)

/** Whether this is a line of a .env file, or a command's: `NAME=` in capitals, or after `export`. */
const isSettingLine = (beginning: string, sign: string) =>
  sign === '=' && (/(?:^|[\s"'?&=])[A-Z][A-Z0-9_]*$/.test(beginning) || /^\s*export\s\w+$/.test(beginning))

/** Whether a value that is surely one is more than a placeholder. */
const isValue = (text: string, mayHaveBlanks: boolean) => text.length >= 4 && (mayHaveBlanks || !/\s/.test(text))

/** Whether a value among other words looks drawn at random, or like a password. */
function isDrawn(text: string, name: string): boolean {
  if (text.length < 6 || /^[\d.]+$/.test(text)) return false
  if (/\d/.test(text)) return true
  return /^pass/i.test(name) && /[^A-Za-z._]/.test(text.slice(0, -1))
}

const placeholders =
  /^(?:string|number|boolean|bool|null|none|nil|undefined|true|false|unknown|required|optional|missing|invalid|expired|revoked|empty|redacted|hidden|changed|your[\w-]*|example[\w-]*|bearer|basic|code|#[0-9a-f]{3,8}|x{3,}|\*+|\.{3,}|#+|-+)$/i

/** Whether a text stands for a value that is not shown, or is still to be set. */
const isPlaceholder = (text: string) =>
  placeholders.test(text) || /^(?:[$<{%*]|\[masked\]|\\?[/~]|\.{1,2}\/|[a-z]+:\/\/)/i.test(text) || text.includes('…')

/** Whether a text only names where a value comes from. */
function isReference(text: string, rest: string): boolean {
  return (
    // A call, an index, a member of something, a variable that has the name of what it holds.
    /^[([]/.test(rest) ||
    /^[A-Za-z_$][\w$]*(?:(?:\?\.|\.|->|::)[A-Za-z_$][\w$]*)+$/.test(text) ||
    /^[\w$-]*(?:password|passwd|pwd|secret|token|key|credentials?)s?$/i.test(text)
  )
}
