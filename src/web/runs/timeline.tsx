import type { TimelineEntry } from '../../api/timeline.ts'
import { deedOf } from '../activity/deed.ts'
import { actorOf } from '../activity/event-line.tsx'
import { Details, Outcome } from '../activity/event-row.tsx'
import { href } from '../app/router.ts'
import { Ago } from '../ui/ago.tsx'
import { Badge, resultLooks, Status, Verdict } from '../ui/status.tsx'
import { plural } from './changes.tsx'

/** The history of a run, newest first. */
export function Timeline({ entries, project }: { entries: TimelineEntry[]; project: string }) {
  return (
    <ol class="timeline">
      {entries.toReversed().map((entry, index) => (
        <li key={index}>
          <Ago at={entry.at} />
          <Entry entry={entry} project={project} />
        </li>
      ))}
    </ol>
  )
}

function Entry({ entry, project }: { entry: TimelineEntry; project: string }) {
  if (entry.kind === 'appends') return <p>wrote {plural(entry.appends, 'time')}</p>

  if (entry.kind === 'turn') {
    const { n, title, failure, interrupted } = entry.turn
    return (
      <p>
        turn {n} {title && <b>{title}</b>} {failure && <span>failed: {failure.message}</span>}{' '}
        {interrupted && 'interrupted'}
      </p>
    )
  }
  if (entry.kind === 'check') {
    const { check } = entry
    return (
      <p>
        check <b>{check.name}</b> <Badge look={resultLooks[check.result]} /> {check.agent && `by ${check.agent}`}
      </p>
    )
  }
  if (entry.kind === 'attempt') {
    const { run } = entry
    return (
      <p>
        attempt {run.attempt}, <a href={href(['runs', project, run.runId])}>{run.runId}</a>{' '}
        <Status run={{ ...run, failure: null }} /> <Verdict run={{ ...run, evidence: null }} />
      </p>
    )
  }
  const { event } = entry
  const deed = deedOf(event)
  return (
    <div>
      <b>{actorOf(event)}</b> {deed.verb} the run
      <Outcome deed={deed} />
      <Details event={event} />
    </div>
  )
}
