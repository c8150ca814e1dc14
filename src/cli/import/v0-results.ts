/** A result that a report states. */
export interface StatedResult {
  name: string
  result: 'pass' | 'fail' | 'warn'
  words: string
}

/** The results in a report, and the rows that name a requirement without one of the known results. */
export interface Results {
  /** That of the report as a whole. */
  status: Omit<StatedResult, 'name'> | undefined
  found: StatedResult[]
  unknown: { name: string; line: number; words: string }[]
}

const words: Record<string, StatedResult['result']> = {
  PASS: 'pass',
  COMPLETED: 'pass',
  PARTIAL: 'warn',
  UNVERIFIED: 'warn',
  BLOCKED: 'fail',
  FAIL: 'fail',
  FAILED: 'fail',
}
export const resultWords = Object.keys(words)
const word = `(?:${resultWords.join('|')})\\b`

/** `### AUTH-001 — PASS for this phase` */
const heading = /^(#{1,6}) +(.+)/
const headingResult = new RegExp(`^(.+?) +[—–-] +(${word}.*)`)
/** `- Status: PASS`, with or without its dash */
const statusLine = new RegExp(`^(?:[-*] )?\\**Status(?::\\**|\\**:) *[\`*]*(${word}.*)`, 'i')
const wholeResult = new RegExp(`^[\`*]*(${word}.*)`, 'i')
const numbered = /^\d+\. /
/** `1. **PASS — Sell it.** Seen.` or `1. PASS - Sell it. Seen.` */
const item = new RegExp(`^\\d+\\. +(?:\\*\\*(${word}) *[—–:-] *(.+?)\\*\\*|(${word}) *[—–:-] +(.+?[.!?])(?=\\s|$))(.*)`)
/** Whether a text is an id such as `UI-001`. */
const isRequirement = (text = '') => /^[A-Z][A-Z0-9-]*-\d/.test(text) && /^[\w.-]+$/.test(text)

/**
 * The results that a report states: its own, in its first line, row or section *Status*; and those of single requirements,
 * in headings, in lines *Status* below a heading of the third level, in numbered items, and in the rows of tables with a
 * column *Result*, *Status* or *State*.
 */
export function resultsIn(text: string): Results {
  const results: Results = { status: undefined, found: [], unknown: [] }
  const lines = linesOf(text)
  let section = { level: 1, name: '', isEmpty: true }
  let column = -1
  for (const [at, line] of lines.entries()) {
    const [, marks = '', title = ''] = heading.exec(line) ?? []
    if (marks) {
      section = { level: marks.length, name: plain(title), isEmpty: true }
      const [, name = '', said] = headingResult.exec(title) ?? []
      if (said !== undefined && marks.length > 1) results.found.push({ name: plain(name), ...judged(said) })
      continue
    }
    if (line === '') continue
    if (section.isEmpty && /^status$/i.test(section.name)) results.status ??= judgedWhole(line)
    section.isEmpty = false
    const [, said] = statusLine.exec(line) ?? []
    if (line.startsWith('|')) {
      const cells = cellsOf(line)
      if (!lines[at - 1]?.startsWith('|')) column = cells.findIndex((cell) => /^(result|status|state)$/i.test(cell))
      if (/^(overall result|status)$/i.test(cells[0] ?? '')) results.status ??= judgedWhole(cells[1])
      else if (column > 0 && isRequirement(cells[0])) addRow(results, cells, { column, line: at + 1 })
    } else if (said !== undefined && section.level > 2) results.found.push({ name: section.name, ...judged(said) })
    else if (said !== undefined) results.status ??= judged(said)
    else if (numbered.test(line)) addItem(results, lines, at)
  }
  return results
}

/** The longest part of a line or item that is read. */
const mostRead = 4_000

/** The lines of a text, without those of its code blocks. */
function linesOf(text: string): string[] {
  let isCode = false
  return text.split(/\r?\n/).map((line) => {
    const isFence = /^ *(```|~~~)/.test(line)
    if (isFence) isCode = !isCode
    return isFence || isCode ? '' : line.slice(0, mostRead).trimEnd()
  })
}

const cellsOf = (row: string) =>
  row
    .replace(/^\||\|$/g, '')
    .split(/(?<!\\)\|/)
    .map(plain)

function addRow({ found, unknown }: Results, cells: string[], { column, line }: { column: number; line: number }) {
  const [name = '', said = '', rest] = [cells[0], cells[column], cells.slice(column + 1).join(' ')]
  const { result } = judgedWhole(said) ?? {}
  const more = resultWords.includes(said.toUpperCase()) ? '' : said
  if (result) found.push({ name, result, words: `${more} ${rest}`.trim() })
  else unknown.push({ name, line, words: said })
}

/** Adds the result of a numbered item, which goes on in the indented lines after it. */
function addItem({ found }: Results, lines: string[], at: number) {
  let whole = lines[at] ?? ''
  for (let next = at + 1; lines[next]?.startsWith('  ') && whole.length < mostRead; next += 1) {
    whole += ` ${lines[next]?.trim()}`
  }
  const [, bold, boldName, bare, bareName, rest = ''] = item.exec(whole) ?? []
  const said = bold ?? bare
  if (said === undefined) return
  found.push({ ...judged(said), name: plain(boldName ?? bareName ?? '').replace(/\.$/, ''), words: plain(rest) })
}

const judgedWhole = (said = '') => {
  const [, result] = wholeResult.exec(said) ?? []
  return result === undefined ? undefined : judged(result)
}

/** The result that a text begins with. */
function judged(said: string): Omit<StatedResult, 'name'> {
  const [which = ''] = /^\w+/.exec(said) ?? []
  return { result: words[which.toUpperCase()] ?? 'warn', words: plain(said) }
}

const plain = (markdown: string) =>
  markdown
    .replaceAll(/[*`|]+/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
