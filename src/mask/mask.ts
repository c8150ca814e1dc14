import { cookiesIn } from './cookies.ts'
import { formsIn } from './forms.ts'
import { lint } from './lint.ts'
import { namedIn } from './names.ts'
import { pairsIn } from './pairs.ts'
import type { Span } from './span.ts'
import { escapesIn, spelledOut, type View, within, withoutEscapes } from './view.ts'

/**
 * Replaces the secrets in a text by `[masked]`: keys of services, private keys, passwords in addresses and commands, and
 * values that are assigned to a name like `password`. Colours and other escape sequences neither hide a secret nor get
 * lost. Takes time in proportion to the length of the text.
 */
export async function mask(text: string): Promise<string> {
  if (text === '') return text
  const spans = await Promise.all(viewsOf(text).map(spansIn))
  return replaced(text, merged(spans.flat()))
}

/** A secret may follow a spelled character, as in `\nghp_…` of JSON and `%3Dghp_…` of an address, also of JSON in JSON. */
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

/** The spans in order, and one for those that overlap. */
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
    // The colours that begin or end inside go on.
    return [before, mark, ...escapesIn(text.slice(start, end))]
  })
  return parts.join('') + text.slice(from)
}
