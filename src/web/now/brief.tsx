import type { ComponentChildren } from 'preact'
import type { Run } from '../../nouns/run/fields.ts'
import { href } from '../app/router.ts'
import { useMine } from '../data/lists/whose.ts'
import type { List } from '../data/query/list.ts'
import { endOf } from '../data/runs/run-events.ts'
import { Changes } from '../runs/changes.tsx'
import { NoneOfYours } from '../ui/begin.tsx'
import { More, Skeleton } from '../ui/loading.tsx'
import { Status, saysVerdict, Verdict } from '../ui/status.tsx'
import { Author, whyFailed } from '../ui/text.tsx'
import { Ago } from '../ui/time.tsx'

interface Props {
  run: Run
  /** Whether it is newer than the last visit. */
  isNew?: boolean
  /** The content at its end. */
  children?: ComponentChildren
}

/** A run as one line of a short list. */
export function Brief({ run, isNew = false, children }: Props) {
  const why = whyFailed(run)
  return (
    <li class="brief">
      <Status run={run} />
      <div class="what">
        <a class="title" href={href(['runs', run.project, run.runId])}>
          {run.title ?? run.runId}
        </a>
        {isNew && (
          <span class="new" title="Since you last looked">
            new
          </span>
        )}
        {why && <p class="reason">{why}</p>}
        <span class="facts">
          <span>{run.project}</span>
          <span>{run.runId}</span>
          {run.agent && <span>{run.agent}</span>}
          <Author author={run.author} />
          <Changes changes={run.changes} />
        </span>
      </div>
      {saysVerdict(run) ? <Verdict run={run} /> : <span />}
      <Ago at={endOf(run)} />
      {children}
    </li>
  )
}

interface BriefsProps {
  list: List<Run>
  /** A note at the end of a run's line. */
  note?: (run: Run) => string
  /** Shown if there are no runs of anyone. */
  children: ComponentChildren
}

/** A list of runs that *Mine* narrows, one page at a time. */
export function RunBriefs({ list, note, children }: BriefsProps) {
  const mine = useMine()
  const isEmpty = list.isRead && list.items.length === 0
  // An empty list of other runs says nothing about these.
  const isAwaited = !list.error && (!list.isRead || (isEmpty && list.isOther))
  return (
    <>
      {isAwaited && <Skeleton rows={6} />}
      {isEmpty && !isAwaited && (mine ? <NoneOfYours /> : <div class="empty">{children}</div>)}
      <ul class="rows briefs" aria-busy={list.isOther}>
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

/** How many runs are listed, beside the title of the list. */
export const CountOf = ({ list: { items, isRead, isOther, hasMore } }: { list: List<Run> }) => (
  <span class="muted">{isRead && !isOther && `${items.length}${hasMore ? '+' : ''}`}</span>
)
