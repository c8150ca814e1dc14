interface Props {
  rows: number
  /** What is loading. Default: rows of a list. */
  of?: 'rows' | 'lanes' | 'cards' | 'charts' | 'page'
}

/** A placeholder of the same height as what is loading, so that nothing jumps. It appears after a moment. */
export function Skeleton({ rows, of = 'rows' }: Props) {
  return (
    <div class={`skeleton ${of}`} role="status">
      <span class="unseen">Loading …</span>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} />
      ))}
    </div>
  )
}
