/** A piece of text in which the words that were searched for stand between `**`. */
export function Snippet({ text }: { text: string }) {
  return (
    <p class="snippet">
      {text.split(/\*\*(.+?)\*\*/s).map((piece, index) => (index % 2 === 1 ? <mark key={index}>{piece}</mark> : piece))}
    </p>
  )
}
