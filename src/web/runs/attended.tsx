import { nameOf } from '../../contract/person.ts'
import type { Run } from '../../nouns/run/fields.ts'
import { href } from '../app/router.ts'
import { type Need, touches } from '../data/lists/needs.ts'
import { useRead } from '../data/query/read.ts'
import { clientOf } from '../data/query/server.ts'
import { Ago, timeWords } from '../ui/time.tsx'
import { actorText } from '../ui/words.ts'

const states: Need['state'][] = ['open', 'put-off', 'resolved']

/** Who looks at a run that failed or whose checks fail, or what somebody decided about it. */
export function Attended({ run: { project, runId, status, verdict } }: { run: Run }) {
  const { data: need } = useRead(
    `attention of ${project}/${runId} ${status} ${verdict}`,
    async (signal) => {
      const read = (state: Need['state']) => clientOf(project).listAttention({ runId, state }, { signal })
      const pages = await Promise.all(states.map(read))
      return pages.flatMap(({ attention = [] }) => attention)[0]
    },
    { touches: (event) => event.project === project && event.subject === runId && touches(event) },
  )
  if (!need) return null
  return (
    <p class="standing small muted">
      <span>
        <Decided need={need} />
      </span>
      {need.assignee && <span title={need.assignee}>assigned to {nameOf(need.assignee)}</span>}
      {need.note && <span>{need.note}</span>}
    </p>
  )
}

function Decided({ need: { project, state, since, until, resolvedBy, resolvedAt } }: { need: Need }) {
  if (state === 'resolved' && resolvedAt !== null) {
    return (
      <>
        Resolved {resolvedBy && `by ${actorText(resolvedBy)}`} <Ago at={resolvedAt} />
      </>
    )
  }
  if (state === 'put-off' && until !== null) {
    return <>Put off until {timeWords(until)}</>
  }
  return (
    <>
      <a href={href([], { project })}>Needs attention</a> since <Ago at={since} />
    </>
  )
}
