import { useEffect, useRef, useState } from 'preact/hooks'
import type { Event } from '../../api/event.ts'
import type { ConductError, Input } from '../../client/client.ts'
import { listen } from './live.ts'
import { failureOf, oneAtATime } from './read.ts'
import { client } from './server.ts'

export type EventFilter = Pick<Input<'listEvents'>, 'project' | 'type' | 'subject'>

const pageSize = 100

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
      if (news.kind === 'event' && isMeant(filter, news.event)) add([news.event])
    })
    return () => {
      end.abort()
      leave()
    }
  }, [key])

  return { ...state, isRead: state.key === key, older: () => older.current() }
}

function joined(before: Event[], more: Event[]): Event[] {
  const known = new Set(before.map(({ seq }) => seq))
  return [...before, ...more.filter(({ seq }) => !known.has(seq))].sort((a, b) => b.seq - a.seq)
}

const isMeant = ({ project, type, subject }: EventFilter, event: Event) =>
  (!project || project.includes(event.project ?? '')) &&
  (!type || type.includes(event.type)) &&
  (subject === undefined || subject === event.subject)
