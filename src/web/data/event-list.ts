import { useEffect, useRef, useState } from 'preact/hooks'
import type { Event } from '../../api/event.ts'
import type { ConductError, Input } from '../../client/client.ts'
import { listen } from './live.ts'
import { failureOf, oneAtATime } from './read.ts'
import { client } from './server.ts'

export type EventFilter = Pick<Input<'listEvents'>, 'project' | 'type' | 'subject'>

const pageSize = 100
/** So many events are kept; what arrives meanwhile pushes the oldest out, which can be read again. */
const most = 1000
/** Events that arrive within so many milliseconds are drawn together. */
const gatherMs = 200

interface State {
  /** The filter, as text, that the events answer. */
  key: string
  /** Newest first, each once. */
  events: Event[]
  hasMore: boolean
  error?: ConductError
}

export interface EventList extends State {
  isRead: boolean
  /** Reads on into the past. */
  older(): void
}

/** The log from its end on, as far back as it is asked for, and each change as it happens. */
export function useEventList(filter: EventFilter): EventList {
  const key = JSON.stringify(filter)
  const [state, setState] = useState<State>({ key: '', events: [], hasMore: false })
  const latest = useRef(state)
  latest.current = state
  const older = useRef(() => {})

  useEffect(() => {
    const end = new AbortController()
    const read = (input: Input<'listEvents'>) =>
      client.listEvents({ ...filter, limit: pageSize, ...input }, { signal: end.signal })
    const set = (change: (before: State) => State) => {
      if (!end.signal.aborted)
        setState((before) => change(before.key === key ? before : { key, events: [], hasMore: false }))
    }
    const fail = (error: unknown) => set((before) => ({ ...before, error: failureOf(error) }))
    const add = (events: Event[], hasMore?: boolean) =>
      set((before) => ({ key, events: joined(before.events, events), hasMore: hasMore ?? before.hasMore }))

    let arrived: Event[] = []
    let timer: ReturnType<typeof setTimeout> | undefined
    const gather = (event: Event) => {
      arrived = [...arrived, event].slice(-most)
      timer ??= setTimeout(() => {
        timer = undefined
        const some = arrived
        arrived = []
        set((before) => newest(before, some))
      }, gatherMs)
    }

    const back = oneAtATime(async () => {
      const before = latest.current.key === key ? latest.current.events.at(-1)?.seq : undefined
      await read({ order: 'desc', before }).then(({ events, meta }) => add(events, meta.hasMore), fail)
    }, 0)
    /** What was missed; where that is more than a page, the newest page stands alone. */
    const catchUp = oneAtATime(async () => {
      const after = latest.current.key === key ? latest.current.events[0]?.seq : undefined
      if (after === undefined) return back()
      await read({ order: 'desc', after }).then(({ events, meta }) => {
        if (meta.hasMore) set(() => ({ key, events, hasMore: true }))
        else add(events)
      }, fail)
    }, 300)

    older.current = back
    back()
    const leave = listen((news) => {
      if (news.kind === 'connected') catchUp()
      if (news.kind === 'event' && isMeant(filter, news.event)) gather(news.event)
    })
    return () => {
      end.abort()
      clearTimeout(timer)
      leave()
    }
  }, [key])

  return { ...state, isRead: state.key === key, older: () => older.current() }
}

/** The state with what arrived, as far as the newest events go that are kept. */
function newest(before: State, arrived: Event[]): State {
  const events = joined(before.events, arrived)
  // Whoever has read further back keeps that much, and no more.
  const kept = Math.max(most, before.events.length)
  return { ...before, events: events.slice(0, kept), hasMore: before.hasMore || events.length > kept }
}

function joined(before: Event[], more: Event[]): Event[] {
  const known = new Set(before.map(({ seq }) => seq))
  return [...before, ...more.filter(({ seq }) => !known.has(seq))].sort((a, b) => b.seq - a.seq)
}

const isMeant = ({ project, type, subject }: EventFilter, event: Event) =>
  (!project || project.includes(event.project ?? '')) &&
  (!type || type.includes(event.type)) &&
  (subject === undefined || subject === event.subject)
