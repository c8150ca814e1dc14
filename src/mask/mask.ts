import { formsIn, heldIn } from './forms.ts'
import { namedIn, pairsIn } from './names.ts'
import { asSeen, escapesIn, type MaskedSpan, spelledOut, type View, within, withoutEscapes } from './view.ts'

/**
 * Replaces the secrets in a text with `[masked]`: keys of services, private keys, passwords in URLs and commands, and values
 * assigned to names like `password`. Colours and other escape sequences do not hide a secret, and stay in the text. The time
 * is proportional to the length of the text.
 */
export async function mask(text: string): Promise<string> {
  if (text === '') return text
  const spans = await Promise.all(viewsOf(text).map(spansIn))
  return replaced(text, merged(spans.flat()))
}

/**
 * A secret may follow an encoded character, as in `\nghp_…` in JSON or `%3Dghp_…` in a URL. JSON within JSON encodes twice.
 * In all of them, characters that people do not see may divide it.
 */
function viewsOf(text: string): View[] {
  const once = spelledOut(text)
  const twice = within(once, spelledOut(once.text))
  const seen = [once, twice].map((view) => within(view, asSeen(view.text)))
  const views = [withoutEscapes(text), asSeen(text), once, twice, ...seen]
  return [...new Map(views.map((view) => [view.text, view])).values()]
}

async function spansIn({ text, original }: View): Promise<MaskedSpan[]> {
  return [...formsIn(text), ...heldIn(text), ...namedIn(text), ...pairsIn(text), ...(await lint(text))].map(original)
}

/** Sorts the spans and merges those that overlap. */
function merged(spans: MaskedSpan[]): MaskedSpan[] {
  const result: MaskedSpan[] = []
  for (const span of spans.sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = result.at(-1)
    if (last === undefined || span.start >= last.end) result.push({ ...span })
    else last.end = Math.max(last.end, span.end)
  }
  return result
}

function replaced(text: string, spans: MaskedSpan[]): string {
  let from = 0
  const parts = spans.flatMap(({ start, end, mark = '[masked]' }) => {
    const before = text.slice(from, start)
    from = end
    // Keep the escape sequences of the span: a colour may begin or end in it.
    return [before, mark, ...escapesIn(text.slice(start, end))]
  })
  return parts.join('') + text.slice(from)
}

/** Ids of git objects, times, and values without a letter or digit to hide. */
const plain = /^(?:[0-9a-f]{40}|[0-9a-f]{64}|\d{4}-\d\d-\d\dT[\d:.]+Z|.{0,5})$/s

/**
 * A JSON value whose texts have no secrets. Short lines are masked together, which costs less than one by one; an empty
 * line keeps them apart.
 */
export async function maskDeep<T>(value: T): Promise<T> {
  const lines = new Set<string>()
  const texts = new Set<string>()
  visit(value, (text) => (text.includes('\n') ? texts : lines).add(text))
  const masked = new Map<string, string>()
  const all = [...lines]
  const together = (await mask(all.join('\n\n'))).split('\n\n')
  // A secret that seems to span two of them is in neither, or in one alone.
  const isApart = together.length === all.length
  for (const [index, line] of all.entries()) masked.set(line, isApart ? (together[index] as string) : await mask(line))
  for (const text of texts) masked.set(text, await mask(text))
  return withMasks(value, masked) as T
}

function visit(value: unknown, found: (text: string) => void): void {
  if (typeof value === 'string') {
    if (!plain.test(value)) found(value)
  } else if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) visit(one, found)
}

function withMasks(value: unknown, masked: Map<string, string>): unknown {
  if (typeof value === 'string') return masked.get(value) ?? value
  if (Array.isArray(value)) return value.map((one) => withMasks(one, masked))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withMasks(one, masked)]))
}

/** Characters per call of secretlint, whose time grows with the square of its findings. */
const windowLength = 65_536
/** Two windows of one long line overlap by this many characters, so that a secret up to this length is found. */
const overlap = 2_048

/** How far after the range of a finding its secret may begin: the npm rule reports where the name begins. */
const nameLength = 32

/** Returns the spans that secretlint finds. */
async function lint(text: string): Promise<MaskedSpan[]> {
  const spans: MaskedSpan[] = []
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

async function lintWindow(content: string): Promise<MaskedSpan[]> {
  const { lintSource, rules } = await loadLint()
  const { messages } = await lintSource({
    // The name makes secretlint look for npm's settings, too.
    source: { content, filePath: '.npmrc', contentType: 'text' },
    options: { noPhysicFilePath: true, config: { rules } },
  })
  return messages.flatMap(({ data, range: [start, end] }) => {
    // Some rules report too short a range, but the whole secret in their data.
    const secrets = Object.values(data ?? {}).flatMap((value) => {
      if (typeof value !== 'string' || value === '') return []
      const at = content.indexOf(value, Math.max(0, start - value.length))
      return at >= 0 && at <= end + nameLength ? [{ start: at, end: at + value.length }] : []
    })
    return secrets.length > 0 ? secrets : [{ start, end }]
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
