import type { Event } from '../../../log/fields.ts'

/** The most events in a window. Loading more at one end drops events at the other; they can be loaded again. */
export const mostEvents = 500

/** A part of the log, newest first and without gaps. */
export interface EventWindow {
  events: Event[]
  hasOlder: boolean
  /** Whether the log goes on after the newest of them. */
  hasNewer: boolean
  /** How many arrived that are not among them. */
  fresh: number
  /** The seq of the newest event that was counted: after a reconnect, events are read that had arrived before. */
  counted: number
  /** Counts how often it was put somewhere else. */
  place: number
}

export const nowhere: EventWindow = { events: [], hasOlder: false, hasNewer: false, fresh: 0, counted: 0, place: 0 }

/** The window with events that arrived at the end of the log. While it is held, they are only counted. */
export function arrivedIn(before: EventWindow, arrived: Event[], isHeld: boolean): EventWindow {
  if (before.hasNewer || isHeld) {
    const known = Math.max(before.events[0]?.seq ?? 0, before.counted)
    const fresh = arrived.map(({ seq }) => seq).filter((seq) => seq > known)
    if (fresh.length === 0) return before
    return { ...before, hasNewer: true, fresh: before.fresh + fresh.length, counted: Math.max(...fresh) }
  }
  const oldest = before.events.at(-1)?.seq ?? 0
  const known = new Set(before.events.map(({ seq }) => seq))
  const more = arrived.filter(({ seq }) => seq > oldest && !known.has(seq))
  return withoutOldest({ ...before, events: [...before.events, ...more].sort((a, b) => b.seq - a.seq) })
}

/** The window with the page before it, newest first; what does not follow is left out. */
export function withOlder(
  before: EventWindow,
  after: number | undefined,
  page: Event[],
  hasOlder: boolean,
): EventWindow {
  if (before.events.at(-1)?.seq !== after) return before
  const events = [...before.events, ...page]
  const over = Math.max(0, events.length - mostEvents)
  return { ...before, events: events.slice(over), hasOlder, hasNewer: before.hasNewer || over > 0 }
}

/** The window with the page after it, oldest first; `last` is the newest event of the log, as far as is known. */
export function withNewer(before: EventWindow, after: number | undefined, page: Event[], last: number): EventWindow {
  if (before.events[0]?.seq !== after) return before
  const events = [...page.toReversed(), ...before.events]
  const hasNewer = last > (events[0]?.seq ?? 0)
  return withoutOldest({ ...before, events, hasNewer, fresh: hasNewer ? Math.max(0, before.fresh - page.length) : 0 })
}

/** The window at the end of the log. */
export function atEnd(before: EventWindow, events: Event[], hasOlder: boolean, last: number): EventWindow {
  return { events, hasOlder, hasNewer: last > (events[0]?.seq ?? 0), fresh: 0, counted: 0, place: before.place + 1 }
}

const withoutOldest = (window: EventWindow): EventWindow =>
  window.events.length > mostEvents ? { ...window, events: window.events.slice(0, mostEvents), hasOlder: true } : window
