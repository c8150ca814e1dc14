const around = 80

/** The part of `text` around the first of `terms`, with all terms in it marked; the beginning if there is none. */
export function snippetOf(text: string, terms: string[]): string {
  const lower = text.toLowerCase()
  // Lower case can change the length of a text (İ). Positions then do not match, and we show the beginning.
  const at =
    lower.length === text.length
      ? Math.min(...terms.map((term) => lower.indexOf(term)).filter((at) => at >= 0))
      : Infinity
  const begin = Number.isFinite(at) ? Math.max(0, at - around) : 0
  const end = begin + 2 * around
  const cut = text.slice(begin, end).toWellFormed().replace(/\s+/g, ' ').trim()
  return `${begin > 0 ? '…' : ''}${marked(cut, terms)}${end < text.length ? '…' : ''}`
}

function marked(text: string, terms: string[]): string {
  if (terms.length === 0) return text
  const any = terms.map((term) => term.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).sort((a, b) => b.length - a.length)
  return text.replace(new RegExp(any.join('|'), 'giu'), '**$&**')
}
