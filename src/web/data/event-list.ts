import { useEffect, useRef, useState } from 'preact/hooks'
import type { Event } from '../../api/event.ts'
import type { ConductError, Input, Output } from '../../client/client.ts'
import { listen } from './live.ts'
import { failureOf, oneAtATime } from './read.ts'
import { client } from './server.ts'

export type EventFilter = Pick<Input<'listEvents'>, 'project' | 'type' | 'subject'>

const pageSize = 100
/** The most events to keep. New ones push out the oldest, which can be fetched again. */
const most = 1000
/** Events that arrive within this many milliseconds are drawn together. */
const gatherMs = 200

interface State {
  /** The filter that the events match, as text. */
  key: string
  /** Newest first, without duplicates. */
  events: Event[]
  hasMore: boolean
  error?: ConductError
}

export interface EventList extends State {
  isRead: boolean
  /** Fetches older events. */
  older(): void
}

/** The end of the log, as far back as requested, and each change as it happens. */
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
    /** Fetches the missed events. If that takes more than a page, only the newest page is kept. */
    const catchUp = oneAtATime(async () => {
      const after = latest.current.key === key ? latest.current.events[0]?.id : undefined
      if (after === undefined) return back()
      const renew = ({ events, meta }: Output<'listEvents'>) => set(() => ({ key, events, hasMore: meta.hasMore }))
      await read({ order: 'desc', after })
        .then((page) => (page.meta.hasMore ? renew(page) : add(page.events)))
        // The database has lost events that are shown.
        .catch((error) => (error.code === 'LOG_FORKED' ? read({ order: 'desc' }).then(renew) : Promise.reject(error)))
        .catch(fail)
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

/** Adds new events to the state, within the limit. */
function newest(before: State, arrived: Event[]): State {
  const events = joined(before.events, arrived)
  // A reader who has scrolled back keeps that many events, and no more.
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
