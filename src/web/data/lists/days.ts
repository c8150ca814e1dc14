import { useEffect, useState } from 'preact/hooks'
import type { ConductError } from '../../../client/client.ts'
import { justBefore } from '../../../contract/ago.ts'
import type { Event } from '../../../log/fields.ts'
import { failureOf, type Read, useRead } from '../query/read.ts'
import { client } from '../query/server.ts'
import { serverNow } from '../query/timing.ts'
import type { RunFilter } from '../run-filter.ts'
import { type Ended, readEnded } from './ended.ts'

/** The viewer's midnight before or at a moment, in milliseconds. */
export const midnightOf = (ms: number): number => new Date(ms).setHours(0, 0, 0, 0)

const dayAfter = (day: number) => midnightOf(day + 36 * 3_600_000)

const pageSize = 100

/** The last day before `day` on which runs ended; undefined if there is none. */
async function dayBefore(day: number, scope: RunFilter, signal: AbortSignal): Promise<number | undefined> {
  const endedBefore = new Date(day).toISOString()
  const { runs } = await client.listRuns(
    { ...scope, status: ['completed', 'failed'], endedBefore, limit: pageSize },
    { signal },
  )
  const ends = runs.flatMap(({ endedAt }) => (endedAt === null ? [] : Date.parse(endedAt)))
  return ends.length > 0 ? midnightOf(Math.max(...ends)) : undefined
}

interface Days {
  /** Today, and earlier days on which runs ended. */
  days: number[]
  hasMore: boolean
  error: ConductError | undefined
  /** Adds the day before the last one. */
  more(): void
}

/** How many days to show at first. */
const shown = 3

export function useDays(scope: RunFilter): Days {
  const key = JSON.stringify(scope)
  const today = midnightOf(serverNow())
  const [wanted, setWanted] = useState(shown)
  const [found, setFound] = useState<{ key: string; days: number[]; isEnd: boolean; error?: ConductError }>()
  const { days, isEnd, error } = found?.key === key ? found : { days: [today], isEnd: false, error: undefined }
  useEffect(() => {
    if (isEnd || days.length >= wanted) return
    const end = new AbortController()
    dayBefore(days.at(-1) ?? today, scope, end.signal).then(
      (day) => setFound({ key, days: day === undefined ? days : [...days, day], isEnd: day === undefined }),
      (failure) => !end.signal.aborted && setFound({ key, days, isEnd: true, error: failureOf(failure) }),
    )
    return () => end.abort()
  }, [key, wanted, days.length])
  return { days, hasMore: !isEnd, error, more: () => setWanted(days.length + 1) }
}

const isNews = ({ type, imported, changes }: Event) =>
  imported ? false : type.startsWith('spec.') ? changes.status !== undefined : changes.result?.[1] === 'fail'

/** Reads a day. Today's changes as things happen. */
export function useDay(day: number, scope: RunFilter): Read<Ended> {
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

/** The newest changes of the status of specs, and failed checks, by the log. */
export const useNews = (project: string[] | undefined): Read<Event[]> =>
  useRead(
    `news ${project?.join(' ')}`,
    async (signal) => {
      const type = ['spec.created' as const, 'spec.updated' as const, 'check.created' as const]
      const events: Event[] = []
      let before: number | undefined
      for (let pages = 0; pages < mostPages; pages++) {
        const page = await client.listEvents({ project, type, order: 'desc', limit: pageSize, before }, { signal })
        events.push(...page.events.filter(isNews))
        if (!page.meta.hasMore) break
        before = page.meta.lastSeq
      }
      return events
    },
    { touches: (event) => /^(spec|check)\./.test(event.type) && isNews(event), restMs: 3000 },
  )

const mostPages = 5
