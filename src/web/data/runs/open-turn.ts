import type { Run } from '../../../nouns/run/fields.ts'
import type { Turn } from '../../../nouns/run/turn-fields.ts'
import { useRead } from '../query/read.ts'
import { clientOf } from '../query/server.ts'
import { isTurnOf } from './run-events.ts'

/** How often to read what stands so far, in milliseconds: heartbeats have no events. */
const pollMs = 5_000

/** The open turn of a run, as its recorder reported it last; undefined if none is open. */
export function useOpenTurn({ project, runId, status, activity }: Run): Turn | undefined {
  const isLive = status === 'in_progress' && activity?.state !== 'idle'
  const { data } = useRead(
    `open turn ${project}/${runId}`,
    (signal) => clientOf(project).listTurns({ runId, order: 'desc', limit: 1 }, { signal }),
    {
      touches: (event) => event.type.startsWith('turn.') && isTurnOf(event, project, runId),
      ...(isLive && { everyMs: pollMs }),
    },
  )
  return data?.turns.find(({ open }) => open)
}
