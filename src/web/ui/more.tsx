import type { List } from '../data/list.ts'
import { Problem } from './problem.tsx'

/** The end of a list: a button for the next page, or the error. */
export function More({ list: { error, hasMore, isCurrent, more, reload } }: { list: Omit<List<unknown>, 'items'> }) {
  if (error) return <Problem error={error} onRetry={reload} />
  if (!hasMore) return null
  return (
    <p class="more">
      <button type="button" disabled={!isCurrent} onClick={more}>
        Show more
      </button>
    </p>
  )
}
