import { useRef } from 'preact/hooks'
import type { Event } from '../../../log/fields.ts'
import type { Run } from '../../../nouns/run/fields.ts'
import { failureOf, useRead } from '../query/read.ts'
import { clientOf } from '../query/server.ts'
import { bytesIn, isReplaced } from './run-events.ts'

/** Bytes of a run's content from `start` to before `end`, and when the ledger received them. */
export interface Append {
  start: number
  end: number
  at: string
}

interface KnownAppends {
  of: string
  /** The last event that was read. */
  seq: number
  appends: Append[]
}

/** When the ledger received which bytes of a run's content, in their order, as its events tell; empty unless wanted. */
export function useAppends(run: Pick<Run, 'project' | 'runId'> | undefined, isWanted: boolean): Append[] {
  const { project = '', runId = '' } = run ?? {}
  const of = `${project}/${runId}`
  const known = useRef<KnownAppends>({ of, seq: 0, appends: [] })
  if (known.current.of !== of) known.current = { of, seq: 0, appends: [] }
  const { data } = useRead(isWanted ? `appends ${of}` : '', (signal) => readOn(known.current, project, runId, signal), {
    touches: ({ project: its, subject, changes }) =>
      its === project && subject === runId && changes.content !== undefined,
    restMs: 2000,
  })
  return data ?? []
}

/**
 * Reads the events since the last one, or all that the log still has if it has dropped that one. Returns another list, so
 * that it is drawn.
 */
async function readOn(known: KnownAppends, project: string, runId: string, signal: AbortSignal): Promise<Append[]> {
  const filter = { project: [project], subject: runId, type: ['run.created' as const, 'run.updated' as const] }
  const list = (after: number | undefined) => clientOf(project).listEvents({ ...filter, after, limit: 100 }, { signal })
  for (let isMore = true; isMore; ) {
    const { events, meta } = await list(known.seq || undefined).catch((error) => {
      if (failureOf(error).code !== 'EVENTS_DROPPED') throw error
      known.appends = []
      return list(undefined)
    })
    for (const event of events) {
      known.seq = event.seq
      addTo(known.appends, event)
    }
    isMore = meta.hasMore && events.length > 0
  }
  return [...known.appends]
}

/** An imported event has the time at which somebody wrote, rather than that of the ledger. */
function addTo(appends: Append[], event: Event): void {
  const { content } = event.changes
  if (content === undefined) return
  const [before, after] = content.map(bytesIn)
  if (isReplaced(event) || event.type === 'run.created') appends.length = 0
  const start = isReplaced(event) ? 0 : (before ?? 0)
  if (event.imported !== true) appends.push({ start, end: after ?? 0, at: event.at })
}
