/** Stands for rows that are being read, in their height, so that nothing jumps when they come. */
export function Skeleton({ rows, tall = false }: { rows: number; tall?: boolean }) {
  return (
    <div class={tall ? 'skeleton tall' : 'skeleton'} role="status">
      <span class="unseen">Loading …</span>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} />
      ))}
    </div>
  )
}
