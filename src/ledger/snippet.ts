const around = 80

/** The surroundings of the first of `terms` in `text`, with every term in them marked; the beginning where there is none. */
export function snippetOf(text: string, terms: string[]): string {
  const lower = text.toLowerCase()
  // Lower case may be longer than the text (İ); then places do not match, and the beginning is shown.
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
