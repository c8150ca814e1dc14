import { useEffect, useRef, useState } from 'preact/hooks'
import type { ConductError, Output } from '../../../client/client.ts'
import type { Event } from '../../../log/fields.ts'
import { listen } from '../log/stream.ts'
import { useRead } from '../query/read.ts'
import { clientOf } from '../query/server.ts'
import { bytesIn, isAppend } from './run-events.ts'

/** A run, with the size of its content after the last append, in bytes. */
type FullRun = Output<'getRun'>['run'] & { bytes?: number }

interface OneRun {
  run: FullRun | undefined
  error: ConductError | undefined
  reload(): void
}

/**
 * A run as it changes. Reading a run fetches its whole content, so appends, which are frequent, are applied from their
 * events.
 */
export function useRun(project: string, runId: string): OneRun {
  const isOfRun = ({ type, subject, project: of }: Event) =>
    type.startsWith('run.') && subject === runId && of === project
  const read = async (signal: AbortSignal) => {
    // The response may not contain the appends that happen meanwhile.
    const heard: Event[] = []
    const leave = listen((news) => {
      if (news.kind === 'event' && isOfRun(news.event) && isAppend(news.event)) heard.push(news.event)
    })
    const { run } = await clientOf(project).getRun({ runId }, { signal }).finally(leave)
    return heard.reduce(appended, run)
  }
  const { data, error, reload } = useRead('run', read, {
    touches: (event) => isOfRun(event) && !isAppend(event),
    restMs: 1000,
  })
  const latest = useRef(data)
  latest.current = data
  const [grown, setGrown] = useState<{ since: typeof data; run: FullRun }>()
  useEffect(
    () =>
      listen((news) => {
        const since = latest.current
        if (news.kind !== 'event' || !since || !isOfRun(news.event) || !isAppend(news.event)) return
        const { event } = news
        setGrown((before) => ({ since, run: appended(before?.since === since ? before.run : since, event) }))
      }),
    [],
  )
  return { run: grown && grown.since === data ? grown.run : data, error, reload }
}

/** The run after an append. The event contains everything that changed. */
function appended(run: FullRun, { changes, at }: Event): FullRun {
  const { content, ...others } = changes
  const bytes = bytesIn(content?.[1])
  // Two appends may have the same time.
  if (run.bytes === undefined ? at <= run.updatedAt : bytes <= run.bytes) return run
  const fields = Object.fromEntries(Object.entries(others).map(([field, [, value]]) => [field, value]))
  return { ...run, ...fields, bytes, updatedAt: at, lastSeenAt: at, version: run.version + 1 }
}
