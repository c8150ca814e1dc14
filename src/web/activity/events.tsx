import type { ComponentChildren, RefObject } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { eventTypes, openTypes } from '../../contract/event-type.ts'
import type { Event, EventType } from '../../log/fields.ts'
import { goQuery, type Route } from '../app/router.ts'
import { type EventFilter, type EventList, useEventList } from '../data/log/event-list.ts'
import { may, useSession } from '../data/query/session.ts'
import { Begin } from '../ui/begin.tsx'
import { useSight } from '../ui/in-sight.ts'
import { Problem, Skeleton } from '../ui/loading.tsx'
import { Choice } from '../ui/menu.tsx'
import { plural } from '../ui/words.ts'
import { EventRow } from './event-row.tsx'

/** Everything that happened, newest first and live. The filters are part of the address. */
export function AllEvents({ route }: { route: Route }) {
  const types: EventType[] = [...(may(useSession(), 'admin') ? eventTypes : openTypes), 'run.rejudged']
  const list = useEventList(filterOf(route, types), isScrolled)
  const { events, isRead, error, toEnd } = list
  const goesUp = useRef(false)
  const showNew = () => {
    goesUp.current = true
    scrollTo({ top: 0 })
    toEnd()
  }
  // Once more when the newest are there: meanwhile the rows before them may have grown upwards.
  useLayoutEffect(() => {
    if (goesUp.current) scrollTo({ top: 0 })
    goesUp.current = false
  }, [list.place])
  return (
    <>
      <EventFilters route={route} types={types} />
      {!isRead && !error && <Skeleton rows={12} />}
      {isRead && events.length === 0 && !error && <None isFiltered={isFiltered(route)} />}
      <Events key={list.place} list={list} showNew={showNew} />
      {error && <Problem error={error} onRetry={toEnd} />}
    </>
  )
}

const isFiltered = ({ query }: Route) => ['type', 'subject'].some((name) => query.has(name))

/** Whether someone reads further down, so that new events must not be added above. */
const isScrolled = () => scrollY > 120

function EventFilters({ route, types }: { route: Route; types: EventType[] }) {
  return (
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
      {isFiltered(route) && (
        <button
          type="button"
          class="plain"
          onClick={() => goQuery(route, { view: 'events', type: [], subject: undefined })}
        >
          Clear
        </button>
      )}
    </search>
  )
}

/** The window over the log. It moves when someone scrolls to one of its ends. */
function Events({ list, showNew }: { list: EventList; showNew: () => void }) {
  const { events, isRead, hasOlder, hasNewer, fresh, older, newer, error } = list
  const rows = useRef<HTMLOListElement>(null)
  useSteadyScroll(rows, hasNewer)
  return (
    <>
      {/* Always present, so that screen readers announce changes to it. */}
      <div class="news" role="status">
        {hasNewer && (
          <button type="button" onClick={showNew}>
            {fresh > 0 ? plural(fresh, 'new change') : 'Show the newest'}
          </button>
        )}
      </div>
      {hasNewer && <Edge onSeen={newer} at={events[0]?.seq} />}
      <ol class="timeline activity" ref={rows} aria-busy={!isRead}>
        {folded(events).map(({ event, times }) => (
          <EventRow key={event.seq} event={event} times={times} />
        ))}
      </ol>
      {hasOlder && !error && (
        <Edge onSeen={older} at={events.at(-1)?.seq}>
          <p class="more">
            <button type="button" onClick={older}>
              Show older
            </button>
          </p>
        </Edge>
      )}
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

interface EdgeProps {
  onSeen: () => void
  /** The event at this end. */
  at: number | undefined
  children?: ComponentChildren
}

/** One end of the window, which loads more events when it becomes visible. Its children are for keyboard users. */
function Edge({ onSeen, at, children }: EdgeProps) {
  const place = useRef<HTMLDivElement>(null)
  useSight(place, (isSeen) => isSeen && onSeen(), '600px', [at])
  return <div ref={place}>{children}</div>
}

/** Keeps visible rows in place while rows above them come or go. `hasNewer`: whether newer events may be added above. */
function useSteadyScroll(list: RefObject<HTMLElement | null>, isMoved: boolean): void {
  const wasMoved = useRef(isMoved)
  // Measured before this render changes the page.
  const seen = rowInSight(list.current)
  useLayoutEffect(() => {
    const isSteady = isScrolled() || wasMoved.current
    wasMoved.current = isMoved
    if (seen?.row.isConnected && isSteady) scrollBy({ top: seen.row.getBoundingClientRect().top - seen.top })
  })
}

/** The first visible row and its position. */
function rowInSight(list: HTMLElement | null): { row: Element; top: number } | undefined {
  const row = [...(list?.children ?? [])].find((one) => one.getBoundingClientRect().bottom > 0)
  return row && { row, top: row.getBoundingClientRect().top }
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
  return <Begin words="Nothing has happened yet." />
}
