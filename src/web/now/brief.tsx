import type { ComponentChildren } from 'preact'
import type { Run } from '../../nouns/run/fields.ts'
import { href } from '../app/router.ts'
import { endOf } from '../data/lists/attention.ts'
import { Changes } from '../runs/changes.tsx'
import { Status, Verdict } from '../ui/status.tsx'
import { Ago } from '../ui/time.tsx'

interface Props {
  run: Run
  /** Whether it is newer than the last visit. */
  isNew?: boolean
  /** Replaces the status. */
  badge?: ComponentChildren
  /** A sentence below the title. */
  reason?: ComponentChildren
  /** The content at its end. */
  children?: ComponentChildren
}

/** A run as one line of a short list. */
export function Brief({ run, isNew = false, badge, reason, children }: Props) {
  return (
    <li class="brief">
      {badge ?? <Status run={run} />}
      <div class="what">
        <a class="title" href={href(['runs', run.project, run.runId])}>
          {run.title ?? run.runId}
        </a>
        {isNew && (
          <span class="new" title="Since you last looked">
            new
          </span>
        )}
        {reason && <p class="reason">{reason}</p>}
        <span class="facts">
          <span>{run.project}</span>
          <span>{run.runId}</span>
          {run.agent && <span>{run.agent}</span>}
          <Changes changes={run.changes} />
        </span>
      </div>
      {run.verdict === 'unchecked' || badge ? <span /> : <Verdict run={run} />}
      <Ago at={endOf(run)} />
      {children}
    </li>
  )
}
