import type { ComponentChildren } from 'preact'
import type { Run } from '../../nouns/run/fields.ts'
import type { List } from '../data/query/list.ts'
import { More, Skeleton } from '../ui/loading.tsx'
import { Brief } from './brief.tsx'

interface Props {
  list: List<Run>
  /** A note at the end of a run's line. */
  note?: (run: Run) => string
  /** Shown if there are no runs. */
  children: ComponentChildren
}

/** A list of runs, one page at a time. */
export function RunBriefs({ list, note, children }: Props) {
  return (
    <>
      {!list.isRead && !list.error && <Skeleton rows={6} />}
      {list.isRead && list.items.length === 0 && <div class="empty">{children}</div>}
      <ul class="rows briefs">
        {list.items.map((run) => (
          <Brief key={run.id} run={run}>
            {note && <span class="note muted small">{note(run)}</span>}
          </Brief>
        ))}
      </ul>
      <More list={list} />
    </>
  )
}
