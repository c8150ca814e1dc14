import { cookiesIn, formsIn } from './forms.ts'
import { lint } from './lint.ts'
import { namedIn, pairsIn } from './names.ts'
import { escapesIn, type Span, spelledOut, type View, within, withoutEscapes } from './view.ts'

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

/** A secret may follow an encoded character, as in `\nghp_…` in JSON or `%3Dghp_…` in a URL. JSON within JSON encodes twice. */
function viewsOf(text: string): View[] {
  const views = [withoutEscapes(text)]
  for (let spelled = spelledOut(text); views.length < 3 && spelled.text !== views.at(-1)?.text; ) {
    views.push(spelled)
    spelled = within(spelled, spelledOut(spelled.text))
  }
  return views
}

async function spansIn({ text, original }: View): Promise<Span[]> {
  return [...formsIn(text), ...cookiesIn(text), ...namedIn(text), ...pairsIn(text), ...(await lint(text))].map(original)
}

/** Sorts the spans and merges those that overlap. */
function merged(spans: Span[]): Span[] {
  const result: Span[] = []
  for (const span of spans.sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = result.at(-1)
    if (last === undefined || span.start >= last.end) result.push({ ...span })
    else last.end = Math.max(last.end, span.end)
  }
  return result
}

function replaced(text: string, spans: Span[]): string {
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
