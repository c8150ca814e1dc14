import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { ConductError } from '../../../client/client.ts'
import type { Event } from '../../../log/fields.ts'
import type { Run } from '../../../nouns/run/fields.ts'
import { listen } from '../log/stream.ts'
import { failureOf, isAway } from '../query/read.ts'
import { client } from '../query/server.ts'
import { oneAtATime, type Repeated } from '../query/timing.ts'
import type { RunFilter } from '../run-filter.ts'
import { moved } from '../runs/run-events.ts'

interface RunListState {
  /** The filter that the rows match, as text. */
  key: string
  runs: Run[]
  cursor?: string
  /** How many runs match the filter now but are not in the rows. */
  fresh: number
  /** The `era` in which the first of the rows were read. */
  era: number
  error?: ConductError
}

interface RunList extends RunListState {
  isRead: boolean
  /** Fetches the next page if there is one. */
  more(): void
  /** Repeats the request that failed last. */
  retry(): void
  /** Starts again from the top, with all new runs. */
  restart(): void
}

const empty: RunListState = { key: '', runs: [], fresh: 0, era: 0 }

/** Counts how often rows that were read before must not be shown again: texts were erased, or the session changed. */
let era = 0

/** The last list that was left, for a person who returns to it. */
let left = empty
listen((news) => {
  if (news.kind === 'event') left = movedIn(left, news.event)
  if (news.kind !== 'over' && news.kind !== 'begun' && news.kind !== 'erased') return
  era++
  left = empty
})

/**
 * The runs that match a filter, page by page. Visible rows follow their events in place. New runs are only counted
 * until `restart`, so nothing moves under the cursor.
 */
export function useRunList(filter: RunFilter): RunList {
  const key = JSON.stringify(filter)
  const [state, setState] = useState(() => (left.key === key ? left : empty))
  const latest = useRef(state)
  latest.current = state
  const acts = useRef({ more: () => {}, retry: () => {}, restart: () => {} })

  // A layout effect runs together with the first drawing, so no event is missed.
  useLayoutEffect(() => {
    const end = new AbortController()
    const pages = runPages(filter, end.signal)
    const set = (change: (before: RunListState) => RunListState) => {
      if (!end.signal.aborted) setState(change)
    }
    const fail = (retry: () => void) => (error: unknown) => {
      if (!end.signal.aborted) acts.current.retry = retry
      set((before) => ({ ...(before.key === key ? before : empty), key, error: failureOf(error) }))
    }

    const restart = async (): Promise<void> => {
      pages.restart()
      const mine = era
      await pages.read().then((page) => page && set(() => ({ key, ...page, fresh: 0, era: mine })), fail(restart))
    }
    const { soon: more }: Repeated = oneAtATime(async () => {
      const { cursor } = latest.current
      if (latest.current.key !== key || cursor === undefined) return
      await pages.read({ cursor }).then((page) => page && set((before) => joined(before, page)), fail(more))
    }, 0)
    const stay = (error: unknown) => isAway(failureOf(error)) || fail(look)(error)
    const { soon: look }: Repeated = oneAtATime(async () => {
      if (latest.current.key !== key || latest.current.runs.length === 0) return restart()
      // New runs follow the rows of an ascending list that is not read to its end. Beyond the end, they are the newest.
      const first = latest.current.cursor === undefined ? ({ order: 'desc' } as const) : {}
      await pages.read(first).then((page) => page && set((before) => compared(before, page.runs)), stay)
    }, 500)

    acts.current = { more, retry: look, restart }
    look()
    const leave = listen((news) => {
      if (news.kind === 'event') {
        pages.hear(news.event)
        set((before) => movedIn(before, news.event))
      }
      if (news.kind === 'erased') restart()
      if (news.kind === 'connected' || (news.kind === 'event' && news.event.type.startsWith('run.'))) look()
    })
    return () => {
      end.abort()
      leave()
      left = latest.current.era === era ? latest.current : empty
    }
  }, [key])

  const isRead = state.key === key
  return {
    ...state,
    // Rows of another filter have no next page. Those of this one are asked for their next page when they come.
    cursor: isRead ? state.cursor : undefined,
    isRead,
    more: () => acts.current.more(),
    retry: () => acts.current.retry(),
    restart: () => acts.current.restart(),
  }
}

function joined(before: RunListState, { runs, cursor }: RunPage): RunListState {
  const known = new Set(before.runs.map(({ id }) => id))
  return { ...before, runs: [...before.runs, ...runs.filter(({ id }) => !known.has(id))], cursor, error: undefined }
}

/** Updates the rows from the newest runs, or the current first page, and counts the runs that are not among them. */
function compared(before: RunListState, newest: Run[]): RunListState {
  const now = new Map(newest.map((run) => [run.id, run]))
  const runs = before.runs.map((run) => now.get(run.id) ?? run)
  for (const { id } of before.runs) now.delete(id)
  return { ...before, runs, fresh: now.size, error: undefined }
}

function movedIn(before: RunListState, event: Event): RunListState {
  const runs = moved(before.runs, event)
  return runs === before.runs ? before : { ...before, runs }
}

const pageSize = 100

interface RunPage {
  runs: Run[]
  cursor: string | undefined
}

interface RunPages {
  /**
   * Reads a page, the first by default, in the filter's order by default. Returns undefined, even after a failure, if
   * the list started again meanwhile.
   */
  read(page?: { cursor?: string; order?: 'desc' }): Promise<RunPage | undefined>
  /** Applies an event to the pages that are being read, which may not contain it. */
  hear(event: Event): void
  restart(): void
}

/** Reads the runs that match a filter page by page. */
function runPages(filter: RunFilter, signal: AbortSignal): RunPages {
  let start = 0
  const hearing = new Set<(event: Event) => void>()
  return {
    async read(page = {}) {
      const mine = start
      const heard: Event[] = []
      const hear = (event: Event) => heard.push(event)
      hearing.add(hear)
      try {
        const { runs, meta } = await client.listRuns({ ...filter, limit: pageSize, ...page }, { signal })
        return mine === start ? { runs: heard.reduce(moved, runs), cursor: meta.nextCursor } : undefined
      } catch (error) {
        if (mine === start) throw error
        return undefined
      } finally {
        hearing.delete(hear)
      }
    },
    hear(event) {
      for (const hear of hearing) hear(event)
    },
    restart() {
      start++
    },
  }
}
