import { cookiesIn } from './cookies.ts'
import { formsIn } from './forms.ts'
import { lint } from './lint.ts'
import { namedIn } from './names.ts'
import { pairsIn } from './pairs.ts'
import type { Span } from './span.ts'
import { escapesIn, spelledOut, type View, within, withoutEscapes } from './view.ts'

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
