import { useRef } from 'preact/hooks'
import type { Event } from '../../api/event.ts'
import type { Run } from '../../api/run.ts'
import { href } from '../app/router.ts'
import { useRead } from '../data/read.ts'
import { clientOf } from '../data/server.ts'
import { Changes } from '../runs/changes.tsx'
import { spanOf, useNow } from '../ui/ago.tsx'
import { Icon } from '../ui/icon.tsx'

/** Enough of a content's end to have its last line, in bytes. */
const tailBytes = 2048
const farAway = Number.MAX_SAFE_INTEGER

/** A run in progress: who does what and where, and when it was heard of last. */
export function Lane({ run }: { run: Run }) {
  const line = useLastLine(run)
  const now = useNow(1000)
  const silentMs = Math.max(0, now - heardAt(run))
  const isQuiet = silentMs > patienceMs(run)
  return (
    <li class={`lane ${isQuiet ? 'quiet-too-long' : ''}`}>
      <a class="title" href={href(['runs', run.project, run.runId])}>
        {run.title ?? run.runId}
      </a>
      <span class="silence" title={isQuiet ? 'Silent for more than half its lease' : 'Time since its last activity'}>
        <Icon name={isQuiet ? 'warn' : 'activity'} />
        {silentMs < 5000 ? 'writing now' : `silent ${spanOf(silentMs)}`}
      </span>
      <span class="facts">
        <span>{run.project}</span>
        <span>{run.runId}</span>
        {run.agent && <span>{run.agent}</span>}
        {run.where?.cwd && <span class="path">{run.where.cwd}</span>}
        <Changes changes={run.changes} />
      </span>
      <span class="line">{line === '' ? 'No output yet.' : (line ?? ' ')}</span>
    </li>
  )
}

const heardAt = (run: Run) => Math.max(Date.parse(run.lastSeenAt ?? run.createdAt), Date.parse(run.updatedAt))

/** Half the lease: from the last sign of life to its end is a whole one. Who has none may be silent. */
function patienceMs({ leaseExpiresAt, lastSeenAt }: Run): number {
  if (leaseExpiresAt === null || lastSeenAt === null) return Number.POSITIVE_INFINITY
  return (Date.parse(leaseExpiresAt) - Date.parse(lastSeenAt)) / 2
}

function useLastLine({ id, project, runId }: Run): string | undefined {
  const size = useRef(farAway)
  const { data } = useRead(
    `${project}/${runId}`,
    async (signal) => {
      const client = clientOf(project)
      if (size.current === farAway)
        size.current = (await client.readContent({ runId, after: farAway }, { signal })).next
      const after = Math.max(0, size.current - tailBytes)
      const { text, next } = await client.readContent({ runId, after }, { signal })
      size.current = next
      return text.trimEnd().split('\n').at(-1)?.trim()
    },
    { touches: (event: Event) => event.subjectId === id && 'content' in event.changes, restMs: 2000 },
  )
  return data
}
