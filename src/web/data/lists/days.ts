import { useEffect, useState } from 'preact/hooks'
import type { ConductError } from '../../../client/client.ts'
import { justBefore } from '../../../contract/ago.ts'
import type { Event } from '../../../log/fields.ts'
import { useNow } from '../../ui/time.tsx'
import { listen } from '../log/stream.ts'
import { failureOf, type Read, useRead } from '../query/read.ts'
import { client } from '../query/server.ts'
import { serverNow } from '../query/timing.ts'
import type { RunFilter } from '../run-filter.ts'
import { type EndedList, readEnded } from './ended.ts'

/** The viewer's midnight before or at a moment, in milliseconds. */
export const midnightOf = (ms: number): number => new Date(ms).setHours(0, 0, 0, 0)

const dayAfter = (day: number) => midnightOf(day + 36 * 3_600_000)

const pageSize = 100

/** The last day before `day` on which runs ended; undefined if there is none. */
async function dayBefore(day: number, scope: RunFilter, signal: AbortSignal): Promise<number | undefined> {
  const filter = { ...scope, status: ['completed' as const, 'failed' as const], limit: pageSize }
  const endedBefore = new Date(day).toISOString()
  // The server lists runs by their creation, so an older run may have ended on a later day.
  for (let found: number | undefined; ; ) {
    const after = found === undefined ? {} : { endedAfter: justBefore(new Date(dayAfter(found))).toISOString() }
    const { runs } = await client.listRuns({ ...filter, endedBefore, ...after }, { signal })
    const ends = runs.flatMap(({ endedAt }) => (endedAt === null ? [] : Date.parse(endedAt)))
    if (ends.length === 0) return found
    found = midnightOf(Math.max(...ends))
    if (runs.length < pageSize) return found
  }
}

interface Days {
  /** Today, and earlier days on which runs ended. */
  days: number[]
  hasMore: boolean
  error: ConductError | undefined
  /** Looks for it again after an error. */
  retry(): void
}

interface FoundDays {
  key: string
  days: number[]
  isEnd: boolean
  error?: ConductError
}

/** Finds that many days, one after another. */
export function useDays(scope: RunFilter, wanted: number): Days {
  const today = midnightOf(useNow(60_000))
  const key = `${today} ${JSON.stringify(scope)}`
  const [found, setFound] = useState<FoundDays>()
  const { days, isEnd, error }: FoundDays = found?.key === key ? found : { key, days: [today], isEnd: false }
  useEffect(() => {
    if (isEnd || error || days.length >= wanted) return
    const end = new AbortController()
    dayBefore(days.at(-1) ?? today, scope, end.signal).then(
      (day) => setFound({ key, days: day === undefined ? days : [...days, day], isEnd: day === undefined }),
      (failure) => !end.signal.aborted && setFound({ key, days, isEnd, error: failureOf(failure) }),
    )
    return () => end.abort()
  }, [key, wanted, days.length, error])
  const retry = () => setFound((before) => (before?.error ? { ...before, error: undefined } : before))
  useEffect(() => listen(({ kind }) => kind === 'connected' && retry()), [])
  return { days, hasMore: !isEnd, error, retry }
}

const isNews = ({ type, imported, changes }: Event) =>
  imported ? false : type.startsWith('spec.') ? changes.status !== undefined : changes.result?.[1] === 'fail'

/** Reads a day. Today's changes as things happen. */
export function useDay(day: number, scope: RunFilter): Read<EndedList> {
  const isToday = dayAfter(day) > serverNow()
  return useRead(
    `day ${day} ${JSON.stringify(scope)}`,
    (signal) => {
      const from = justBefore(new Date(day)).toISOString()
      return readEnded({ ...scope, endedBefore: new Date(dayAfter(day)).toISOString() }, from, signal)
    },
    {
      touches: ({ type, changes }) =>
        isToday && type.startsWith('run.') && ('status' in changes || 'verdict' in changes),
      restMs: 3000,
    },
  )
}

interface News {
  /** The newest first. */
  events: Event[]
  /** The moment in milliseconds after which there are no others. */
  since: number
}

/** Changes of the status of specs, and failed checks, by the log: since a moment, or at least the newest. */
export const useNews = (project: string[] | undefined, from: number): Read<News> =>
  useRead(`news ${from} ${project?.join(' ')}`, (signal) => readNews(project, from, signal), {
    touches: (event) => /^(spec|check)\./.test(event.type) && isNews(event),
    restMs: 3000,
  })

/** So many pages cover some days of many checks. The log cannot be asked for those that failed. */
const mostPages = 20

async function readNews(project: string[] | undefined, from: number, signal: AbortSignal): Promise<News> {
  const type = ['spec.created' as const, 'spec.updated' as const, 'check.created' as const]
  const events: Event[] = []
  let since = Number.POSITIVE_INFINITY
  let before: number | undefined
  for (let pages = 0; pages < mostPages && since >= from; pages++) {
    const page = await client.listEvents({ project, type, order: 'desc', limit: pageSize, before }, { signal })
    events.push(...page.events.filter(isNews))
    const oldest = page.events.at(-1)
    since = page.meta.hasMore && oldest ? Date.parse(oldest.at) : Number.NEGATIVE_INFINITY
    before = page.meta.lastSeq
  }
  return { events, since }
}
