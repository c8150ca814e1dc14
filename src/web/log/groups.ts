/** A part of a log between two marks, which GitHub, Azure and GitLab fold. */
export interface LogGroup {
  /** The index of the line with its mark and its name. */
  start: number
  title: string
  /** The index of its last line: the end mark, or the line before the next group; undefined while it is open. */
  end: number | undefined
  /** Whether it is folded at first, unless a line in it reports an error. */
  isFolded: boolean
  /** How many lines in it report an error. */
  errors: number
}

/** The most groups. Further ones stay plain lines, because they would slow down each new line. */
const most = 10_000
/** The deepest nesting of groups. */
const deepest = 32
/** How many characters of a line to search for a mark. */
const longestMark = 1000

/** GitHub Actions: `::group::Title`, or `##[group]Title` in downloaded logs, possibly after a timestamp. */
const opening = /^(?:\S{1,40}Z )?(?:::group::|##\[group\])(.*)$/s
const closing = /^(?:\S{1,40}Z )?(?:::endgroup::|##\[endgroup\])\s*$/
/** GitLab CI: `section_start:<time>:<name>[collapsed=true]`, a carriage return, and the title. */
const section = /section_(start|end):\d{1,20}:([\w.-]{1,100})(\[[\w=,]{0,100}\])?\r/g

/** Finds the groups of a log that grows line by line. */
export class Groups {
  readonly all: LogGroup[] = []
  private readonly byStart = new Map<number, LogGroup>()
  private readonly open: { group: LogGroup; name: string }[] = []

  /** The group that begins at a line. */
  at(index: number): LogGroup | undefined {
    return this.byStart.get(index)
  }

  /** Processes the next line. `title` returns what a line shows, without a mark. */
  add(index: number, line: string, title: (line: string) => string): void {
    const begin = line.slice(0, longestMark)
    if (begin.includes('section_')) this.addSections(index, begin, title)
    const hasMark = begin.includes('group')
    if (!hasMark && this.open.length === 0) return
    const plain = title(begin)
    if (this.open.length > 0 && isError(plain)) for (const { group } of this.open) group.errors++
    if (!hasMark) return
    const [, named] = opening.exec(plain) ?? []
    if (named !== undefined) this.begin(index, named.trim() || 'Group', '', true)
    else if (closing.test(plain)) this.finish('', index)
  }

  private addSections(index: number, line: string, title: (line: string) => string): void {
    const isBegun = line.includes('section_start:')
    for (const [, what, name = '', options = ''] of line.matchAll(section)) {
      if (what === 'start') this.begin(index, title(line).trim() || name, name, options.includes('collapsed=true'))
      // The line of an end mark can also begin the next part.
      else this.finish(name, isBegun ? index - 1 : index)
    }
  }

  private begin(start: number, title: string, name: string, isFolded: boolean): void {
    if (this.all.length >= most || this.open.length >= deepest || this.byStart.has(start)) return
    const group = { start, title, end: undefined, isFolded, errors: 0 }
    this.all.push(group)
    this.byStart.set(start, group)
    this.open.push({ group, name })
  }

  private finish(name: string, end: number): void {
    const at = this.open.findLastIndex((one) => one.name === name)
    if (at < 0) return
    // Groups inside it end with it.
    for (const { group } of this.open.splice(at)) group.end = end
  }
}

const errorWords = /\b(?:errors?|fail(?:ed|ure|s)?|fatal|panic(?:ked)?|exception|traceback|not ok)\b|^\s*(?:✖|✗|×)/i
/** Counts of nothing, which appear at the end of a passing test run. */
const noErrors = /\b(?:0|no)\s+(?:errors?|fail(?:ed|ures?|s)?)\b|\b(?:errors?|fail(?:ed|ures?|s)?)[:=]?\s+0\b/i

/** Whether a line reports an error. Lines are judged by their first 1,000 characters. */
export function isError(line: string): boolean {
  const start = line.slice(0, 1000)
  return errorWords.test(start) && !noErrors.test(start)
}
