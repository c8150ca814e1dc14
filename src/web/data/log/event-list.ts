import { useEffect, useRef, useState } from 'preact/hooks'
import type { ConductError, Input } from '../../../client/client.ts'
import type { Event } from '../../../log/fields.ts'
import { failureOf } from '../query/read.ts'
import { client } from '../query/server.ts'
import { oneAtATime } from '../query/timing.ts'
import { arrivedIn, atEnd, type EventWindow, mostEvents, nowhere, withNewer, withOlder } from './event-window.ts'
import { listen } from './stream.ts'

export type EventFilter = Pick<Input<'listEvents'>, 'project' | 'type' | 'subject'>

const pageSize = 100
/** Events that arrive within this many milliseconds are drawn together. */
const gatherMs = 200

interface EventListState extends EventWindow {
  /** The filter that the events match, as text. */
  key: string
  error?: ConductError | undefined
}

interface Acts {
  /** Loads older events. */
  older(): void
  /** Loads newer events. */
  newer(): void
  /** Goes to the end of the log. */
  toEnd(): void
}

export interface EventList extends EventListState, Acts {
  isRead: boolean
}

/**
 * A window over the log. At the end of the log it shows each change as it happens; it moves back as far as someone
 * scrolls. `isHeld` reports whether someone reads further down, so that new events must not move the page.
 */
export function useEventList(filter: EventFilter, isHeld: () => boolean): EventList {
  const key = JSON.stringify(filter)
  const [state, setState] = useState<EventListState>({ key: '', ...nowhere })
  const latest = useRef(state)
  latest.current = state
  const acts = useRef<Acts>({ older() {}, newer() {}, toEnd() {} })

  useEffect(() => {
    const end = new AbortController()
    const change = (changed: (before: EventWindow) => EventWindow, error?: ConductError) => {
      if (end.signal.aborted) return
      setState((before) => ({ ...changed(before.key === key ? before : nowhere), key, error }))
    }
    const windowNow = () => (latest.current.key === key ? latest.current : nowhere)
    const leave = followInto({ filter, isHeld, windowNow, change, acts: acts.current, signal: end.signal })
    return () => {
      end.abort()
      leave()
    }
  }, [key])

  return {
    ...state,
    isRead: state.key === key,
    older: () => acts.current.older(),
    newer: () => acts.current.newer(),
    toEnd: () => acts.current.toEnd(),
  }
}

interface ListContext {
  filter: EventFilter
  isHeld: () => boolean
  windowNow: () => EventWindow
  /** Changes the window, and replaces the last error. */
  change: (changed: (before: EventWindow) => EventWindow, error?: ConductError) => void
  /** Receives the functions that move the window. */
  acts: Acts
  signal: AbortSignal
}

/** Reads the end of the log into a window and keeps it current until the returned function is called. */
function followInto({ filter, isHeld, windowNow, change, acts, signal }: ListContext): () => void {
  /** The seq of the newest known event. */
  let last = 0
  const gaps = countGaps()
  const read = async (input: Input<'listEvents'>) => {
    const { events, meta } = await client.listEvents({ ...filter, limit: pageSize, ...input }, { signal })
    if (events.length > 0) last = Math.max(last, ...events.map(({ seq }) => seq))
    return { events, hasMore: meta.hasMore }
  }
  const act = (work: () => Promise<(before: EventWindow) => EventWindow>, onDone = () => {}) =>
    oneAtATime(async () => {
      try {
        change(await work())
        onDone()
      } catch (error) {
        const failure = failureOf(error)
        if (failure.code === 'LOG_FORKED') beginAgain()
        else change((before) => before, failure)
      }
    }, 0).soon

  /** The database has lost events that are shown. */
  const beginAgain = () => {
    last = 0
    acts.toEnd()
  }
  const toCloseGap = (work: () => Promise<(before: EventWindow) => EventWindow>) =>
    act(
      () => gaps.closedBy(work),
      () => heard.draw(),
    )
  acts.toEnd = toCloseGap(async () => {
    const { events, hasMore } = await read({ order: 'desc' })
    return (before) => atEnd(before, events, hasMore, last)
  })
  acts.older = act(async () => {
    const oldest = windowNow().events.at(-1)?.seq
    const { events, hasMore } = await read({ order: 'desc', before: oldest })
    return (before) => withOlder(before, oldest, events, hasMore)
  })
  acts.newer = act(async () => {
    const newest = windowNow().events[0]
    const { events, hasMore } = await read({ order: 'asc', after: newest?.id })
    return (before) => withNewer(before, newest?.seq, events, hasMore ? Number.POSITIVE_INFINITY : last)
  })
  /** Fetches the missed events. If that takes more than a page, only the newest page is kept. */
  const catchUp = toCloseGap(async () => {
    const { events, hasMore } = await read({ order: 'desc', after: windowNow().events[0]?.id })
    return (before) =>
      hasMore && !isHeld() && !before.hasNewer ? atEnd(before, events, true, last) : arrivedIn(before, events, isHeld())
  })
  const onSeen = ({ seq }: Event) => {
    last = Math.max(last, seq)
  }
  const onConnected = () => {
    gaps.open()
    catchUp()
  }
  const heard = listenTo({ filter, isHeld, change }, { onSeen, onConnected, onErased: acts.toEnd, gaps })
  acts.toEnd()
  return heard.leave
}

interface Hearing {
  onSeen: (event: Event) => void
  onConnected: () => void
  onErased: () => void
  /** While one is open, arriving events wait. */
  gaps: Gaps
}

interface Subscription {
  /** Adds what has arrived. */
  draw(): void
  leave(): void
}

/** Adds events to the window as they happen, in batches. */
function listenTo(
  { filter, isHeld, change }: Pick<ListContext, 'filter' | 'isHeld' | 'change'>,
  hearing: Hearing,
): Subscription {
  let arrived: Event[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  const draw = () => {
    timer = undefined
    if (hearing.gaps.isOpen() || arrived.length === 0) return
    const some = arrived
    arrived = []
    change((before) => arrivedIn(before, some, isHeld()))
  }
  const leave = listen((news) => {
    if (news.kind === 'erased') hearing.onErased()
    if (news.kind === 'connected') hearing.onConnected()
    if (news.kind !== 'event' || !isMeant(filter, news.event)) return
    hearing.onSeen(news.event)
    // The window holds no more.
    arrived = [...arrived, news.event].slice(-mostEvents)
    timer ??= setTimeout(draw, gatherMs)
  })
  return {
    draw,
    leave() {
      clearTimeout(timer)
      leave()
    },
  }
}

const isMeant = ({ project, type, subject }: EventFilter, event: Event) =>
  (!project || project.includes(event.project ?? '')) &&
  (!type || type.includes(event.type)) &&
  (subject === undefined || subject === event.subject)

interface Gaps {
  open(): void
  isOpen(): boolean
  /** Does work that closes the gaps that are open when it begins, once it succeeds. */
  closedBy<T>(work: () => Promise<T>): Promise<T>
}

/** At the start and after each reconnect, events may be missing before those that arrive, until the log is read. */
function countGaps(): Gaps {
  let opened = 1
  let closed = 0
  return {
    open() {
      opened++
    },
    isOpen: () => closed < opened,
    async closedBy(work) {
      const known = opened
      const done = await work()
      closed = Math.max(closed, known)
      return done
    },
  }
}
