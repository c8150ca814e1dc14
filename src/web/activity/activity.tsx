import { useEffect, useRef } from 'preact/hooks'
import type { Event, EventType } from '../../api/event.ts'
import { go, goQuery, href, type Route } from '../app/router.ts'
import { type EventFilter, useEventList } from '../data/event-list.ts'
import { may, useSession } from '../data/session.ts'
import { Command } from '../ui/copy.tsx'
import { Head } from '../ui/head.tsx'
import { Choice } from '../ui/menu.tsx'
import { Problem } from '../ui/problem.tsx'
import { EventRow } from './event-row.tsx'

const nouns = ['run', 'spec', 'check', 'feature']
const adminNouns = ['key', 'project', 'webhook']
const deeds = ['created', 'updated', 'deleted']

/** Everything that happened, newest first and live. The filters are part of the address. */
export default function Activity({ route }: { route: Route }) {
  const session = useSession()
  const seen = may(session, 'admin') ? [...nouns, ...adminNouns] : nouns
  const types = seen.flatMap((noun) => deeds.map((deed) => `${noun}.${deed}` as EventType))
  const { events, isRead, hasMore, error, older } = useEventList(filterOf(route, types))
  return (
    <>
      <Head title="Activity" />
      <search class="filters">
        <Choice
          name="Type"
          options={types.map((type) => ({ value: type, word: type.replace('.', ' ') }))}
          chosen={route.query.getAll('type')}
          onChange={(type) => goQuery(route, { type })}
        />
        <label class="row pick">
          Subject
          <input
            key={route.query.get('subject')}
            type="text"
            placeholder="RUN-001"
            defaultValue={route.query.get('subject') ?? ''}
            onChange={(event) => goQuery(route, { subject: event.currentTarget.value.trim() })}
          />
        </label>
        {route.query.size > 0 && (
          <button type="button" class="plain" onClick={() => go(href(route.path))}>
            Clear
          </button>
        )}
      </search>
      {isRead && events.length === 0 && !error && <None isFiltered={route.query.size > 0} />}
      <ol class="timeline activity">
        {folded(events).map(({ event, times }) => (
          <EventRow key={event.seq} event={event} times={times} />
        ))}
      </ol>
      {error && <Problem error={error} onRetry={older} />}
      {hasMore && !error && <Older onSeen={older} count={events.length} />}
    </>
  )
}

function filterOf({ query }: Route, types: EventType[]): EventFilter {
  const type = types.filter((one) => query.getAll('type').includes(one))
  return {
    project: query.has('project') ? query.getAll('project') : undefined,
    type: type.length > 0 ? type : undefined,
    subject: query.get('subject') || undefined,
  }
}

/** Loads older events when it becomes visible. The button is for keyboard users. */
function Older({ onSeen, count }: { onSeen: () => void; count: number }) {
  const button = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && onSeen(), { rootMargin: '600px' })
    if (button.current) observer.observe(button.current)
    return () => observer.disconnect()
  }, [count])
  return (
    <p class="more">
      <button ref={button} type="button" onClick={onSeen}>
        Show older
      </button>
    </p>
  )
}

/** Successive appends to one run become one line. */
function folded(events: Event[]): { event: Event; times: number }[] {
  const lines: { event: Event; times: number }[] = []
  for (const event of events) {
    const last = lines.at(-1)
    if (last && isAppend(event) && isAppend(last.event) && event.subjectId === last.event.subjectId) last.times++
    else lines.push({ event, times: 1 })
  }
  return lines
}

const isAppend = ({ type, changes }: Event) => type === 'run.updated' && Object.keys(changes).join() === 'content'

function None({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered) return <p class="empty">No events match these filters.</p>
  return (
    <div class="empty">
      <p>Nothing has happened yet. To record any command as a run:</p>
      <Command text="conduct exec -- npm test" />
    </div>
  )
}
