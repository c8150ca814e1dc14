import type { Event } from '../../log/fields.ts'
import type { Run } from '../../nouns/run/fields.ts'
import type { RunFilter } from './run-filter.ts'
import { client } from './server.ts'

const pageSize = 100

export interface RunPage {
  runs: Run[]
  cursor: string | undefined
}

export interface RunPages {
  /** Reads a page. Returns undefined, also after a failure, if the list started again meanwhile. */
  read(cursor?: string): Promise<RunPage | undefined>
  /** Applies an event to the pages that are being read, which may not contain it. */
  hear(event: Event): void
  restart(): void
}

/** Reads the runs that match a filter page by page. */
export function runPages(filter: RunFilter, signal: AbortSignal): RunPages {
  let start = 0
  const hearing = new Set<(event: Event) => void>()
  return {
    async read(cursor) {
      const mine = start
      const heard: Event[] = []
      const hear = (event: Event) => heard.push(event)
      hearing.add(hear)
      try {
        const { runs, meta } = await client.listRuns({ ...filter, limit: pageSize, cursor }, { signal })
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

/** The runs after an event, which contains everything that changed. */
export function moved(runs: Run[], { type, subjectId, changes, at }: Event): Run[] {
  if (!type.startsWith('run.')) return runs
  if (type === 'run.deleted') return runs.filter(({ id }) => id !== subjectId)
  const fields = Object.fromEntries(Object.entries(changes).map(([field, [, value]]) => [field, value]))
  return runs.map((run) => (run.id === subjectId && run.updatedAt <= at ? { ...run, ...fields, updatedAt: at } : run))
}
