import { plainOf } from '../log/lines.ts'

/** An excerpt with the matches of the query `q` between `**`. Other asterisks belong to the text. */
export function Snippet({ text, q }: { text: string; q: string }) {
  const words = q.toLowerCase()
  return (
    <p class="snippet">
      {plainOf(text)
        .split(/\*\*(.+?)\*\*/s)
        .map((piece, index) =>
          index % 2 === 0 ? (
            piece
          ) : words.includes(piece.toLowerCase()) ? (
            <mark key={index}>{piece}</mark>
          ) : (
            `**${piece}**`
          ),
        )}
    </p>
  )
}
