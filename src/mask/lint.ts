import type { Span } from './span.ts'

/** Characters that are linted at once: what secretlint does with its findings takes the square of their number. */
const windowLength = 65_536
/** The longest secret that is surely found on a line without end. */
const overlap = 2_048

/** How far after the range that a rule tells its secret may begin: that of npm tells where the name begins. */
const nameLength = 32

/** What secretlint finds. */
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
  // Loaded only where there is something to mask.
  const [{ lintSource }, { rules }] = await Promise.all([
    import('@secretlint/core'),
    import('@secretlint/secretlint-rule-preset-recommend'),
  ])
  // A comment in the text must not turn the rules off.
  const chosen = rules.filter(({ meta }) => meta.id !== '@secretlint/secretlint-rule-filter-comments')
  const { messages } = await lintSource({
    // Under this name npm's settings are looked for too.
    source: { content, filePath: '.npmrc', contentType: 'text' },
    options: {
      noPhysicFilePath: true,
      config: { rules: chosen.map((rule) => ({ id: rule.meta.id, rule, options: { enableIDScanRule: true } })) },
    },
  })
  return messages.flatMap(({ data, range: [start, end] }) => {
    // Some rules tell too short a range, but name all of the secret.
    const told = Object.values(data ?? {}).flatMap((value) => {
      if (typeof value !== 'string' || value === '') return []
      const at = content.indexOf(value, Math.max(0, start - value.length))
      return at >= 0 && at <= end + nameLength ? [{ start: at, end: at + value.length }] : []
    })
    return told.length > 0 ? told : [{ start, end }]
  })
}
