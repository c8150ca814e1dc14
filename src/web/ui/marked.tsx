import type { Found } from '../../find/fields.ts'

/** An excerpt with the matches of the query `q` between `**`. Other asterisks belong to the text. */
export function Marked({ text, q }: { text: string; q: string }) {
  const words = q.toLowerCase()
  return text
    .split(/\*\*(.+?)\*\*/s)
    .map((piece, index) =>
      index % 2 === 0 ? piece : words.includes(piece.toLowerCase()) ? <mark key={index}>{piece}</mark> : `**${piece}**`,
    )
}

/** A title in which the words of the query `q` are marked. */
export function MarkedTitle({ text, q }: { text: string; q: string }) {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return text
  const any = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).sort((a, b) => b.length - a.length)
  return text
    .split(new RegExp(`(${any.join('|')})`, 'giu'))
    .map((piece, index) => (index % 2 === 0 ? piece : <mark key={index}>{piece}</mark>))
}

/** Where the page of its run shows a hit: a turn, or a file among the changes of a turn. */
export function placeOf({ type, subject, title }: Pick<Found, 'type' | 'subject' | 'title'>) {
  const turn = type === 'turn' || type === 'diff' ? subject.split('/')[1] : undefined
  return type === 'diff' ? { view: 'changes', turn, file: title ?? undefined } : { turn }
}

/** Where the page of a run shows the words `q` of a hit: in its log, or at its beginning if they are in other fields. */
export const logPlaceOf = ({ isInContent }: Pick<Found, 'isInContent'>, q: string) =>
  isInContent ? { view: 'log', find: q } : {}
