/** A piece of text in which the words of the query `q` stand between `**`; whatever else does so is the text's own. */
export function Snippet({ text, q }: { text: string; q: string }) {
  const words = q.toLowerCase()
  return (
    <p class="snippet">
      {text
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
