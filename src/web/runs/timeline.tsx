import type { Event } from '../../api/event.ts'
import type { TimelineEntry } from '../../api/timeline.ts'
import { actorOf, ChangeWords } from '../activity/event-line.tsx'
import { href } from '../app/router.ts'
import { Ago } from '../ui/ago.tsx'
import { Badge, resultLooks, Status, Verdict } from '../ui/status.tsx'
import { plural } from './changes.tsx'

/** What happened to a run, newest first; words that were added one after the other are one line. */
export function Timeline({ entries, project }: { entries: TimelineEntry[]; project: string }) {
  return (
    <ol class="timeline">
      {folded(entries)
        .reverse()
        .map(({ entry, times }, index) => (
          <li key={index}>
            <Ago at={entry.at} />
            <Entry entry={entry} times={times} project={project} />
          </li>
        ))}
    </ol>
  )
}

function Entry({ entry, times, project }: { entry: TimelineEntry; times: number; project: string }) {
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
  return (
    <p>
      <b>{actorOf(event)}</b> {deeds[event.type] ?? event.type}{' '}
      {times > 1 ? `wrote ${plural(times, 'time')}` : <ChangeWords changes={event.changes} />}
    </p>
  )
}

const deeds: Partial<Record<Event['type'], string>> = { 'run.created': 'created it:', 'run.updated': '' }

/** Appends that come one after the other, by the same actor, as one entry with their number. */
function folded(entries: TimelineEntry[]): { entry: TimelineEntry; times: number }[] {
  const lines: { entry: TimelineEntry; times: number }[] = []
  for (const entry of entries) {
    const last = lines.at(-1)
    if (last && isAppend(entry) && isAppend(last.entry) && isSameActor(entry, last.entry)) {
      last.entry = entry
      last.times++
    } else lines.push({ entry, times: 1 })
  }
  return lines
}

const isAppend = (entry: TimelineEntry) =>
  entry.kind === 'event' && entry.event.type === 'run.updated' && Object.keys(entry.event.changes).join() === 'content'

const isSameActor = (a: TimelineEntry, b: TimelineEntry) =>
  a.kind === 'event' && b.kind === 'event' && actorOf(a.event) === actorOf(b.event)
