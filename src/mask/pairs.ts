import { isDrawn, isPlaceholder, nameOfSecret } from './names.ts'
import type { Span } from './span.ts'

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
  // setPassword("…")
  `(?<=\\bset_?[A-Za-z]{0,40})\\((?=["'])`,
]

const pair = new RegExp(
  `(?<name>${nameOfSecret})(?:${between.join('|')})(?:"(?<double>[^"\\r\\n]{1,1000})"|'(?<single>[^'\\r\\n]{1,1000})'|(?<bare>[^\\s"'\`,;<>]+))`,
  'dgi',
)

/** Values that follow the name of a secret: the next argument of a call, a `value` beside a `name`, a fallback. */
export function pairsIn(text: string): Span[] {
  return [...text.matchAll(pair)].flatMap(({ groups = {}, indices }) => {
    const { name = '', double, single, bare } = groups
    const found = double ?? single ?? bare ?? ''
    const span = indices?.groups?.double ?? indices?.groups?.single ?? indices?.groups?.bare
    const isSecret = /^\S+$/.test(found) && isDrawn(found, name) && !isPlaceholder(found)
    return span && isSecret ? [{ start: span[0], end: span[1] }] : []
  })
}
