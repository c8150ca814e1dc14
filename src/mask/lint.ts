import type { Span } from './view.ts'

/** Characters per call of secretlint, whose time grows with the square of its findings. */
const windowLength = 65_536
/** Two windows of one long line overlap by this many characters, so that a secret up to this length is found. */
const overlap = 2_048

/** How far after the range of a finding its secret may begin: the npm rule reports where the name begins. */
const nameLength = 32

/** Returns the spans that secretlint finds. */
export async function lint(text: string): Promise<Span[]> {
  const spans: Span[] = []
  for (let from = 0; from < text.length; ) {
    const until = Math.min(from + windowLength, text.length)
    const line = until < text.length ? text.lastIndexOf('\n', until - 1) + 1 : until
    const end = line > until - overlap ? line : until
    const base = from
    const found = await lintWindow(text.slice(from, end))
    spans.push(...found.map(({ start, end }) => ({ start: start + base, end: end + base })))
    from = end === until && end < text.length && end !== line ? end - overlap : end
  }
  return spans
}

async function lintWindow(content: string): Promise<Span[]> {
  const { lintSource, rules } = await loadLint()
  const { messages } = await lintSource({
    // The name makes secretlint look for npm's settings, too.
    source: { content, filePath: '.npmrc', contentType: 'text' },
    options: { noPhysicFilePath: true, config: { rules } },
  })
  return messages.flatMap(({ data, range: [start, end] }) => {
    // Some rules report too short a range, but the whole secret in their data.
    const told = Object.values(data ?? {}).flatMap((value) => {
      if (typeof value !== 'string' || value === '') return []
      const at = content.indexOf(value, Math.max(0, start - value.length))
      return at >= 0 && at <= end + nameLength ? [{ start: at, end: at + value.length }] : []
    })
    return told.length > 0 ? told : [{ start, end }]
  })
}

/** secretlint and its rules, which are loaded only when there is text to mask. */
async function loadLint() {
  const [{ lintSource }, { rules }, { secretLintProfiler }] = await Promise.all([
    import('@secretlint/core'),
    import('@secretlint/secretlint-rule-preset-recommend'),
    import('@secretlint/profiler'),
  ])
  // It keeps some 170 measurements of each call for as long as the process lives.
  secretLintProfiler.setEnabled(false)
  // Without this filter, a comment in the text could turn the rules off.
  const chosen = rules.filter(({ meta }) => meta.id !== '@secretlint/secretlint-rule-filter-comments')
  return { lintSource, rules: chosen.map((rule) => ({ id: rule.meta.id, rule, options: { enableIDScanRule: true } })) }
}
