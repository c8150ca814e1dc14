import { useContext } from 'preact/hooks'
import type { Event } from '../../log/fields.ts'
import type { Run } from '../../nouns/run/fields.ts'
import { href } from '../app/router.ts'
import { notify, useNotifying } from '../data/browser/notifications.ts'
import { useLastVisit } from '../data/browser/visit.ts'
import { LanesContext } from '../data/lists/lanes.ts'
import { AttentionContext } from '../data/lists/needs.ts'
import { useScope } from '../data/lists/projects.ts'
import { useMine } from '../data/lists/whose.ts'
import { useRead } from '../data/query/read.ts'
import { client } from '../data/query/server.ts'
import { serverNow } from '../data/query/timing.ts'
import type { RunFilter } from '../data/run-filter.ts'
import { byEnd, endOf } from '../data/runs/run-events.ts'
import { Head } from '../ui/head.tsx'
import { Icon } from '../ui/icon.tsx'
import { Problem, Skeleton } from '../ui/loading.tsx'
import { Brief } from './brief.tsx'
import { Live } from './live.tsx'
import { Needs } from './needs.tsx'
import { Since, useSince } from './since.tsx'

const isOfRun = ({ type }: Event) => type.startsWith('run.')

/** What happens now, and what needs attention. */
export default function Now() {
  const visit = useLastVisit()
  const looked = visit ?? Number.POSITIVE_INFINITY
  const news = useSince(visit)
  const lanes = useContext(LanesContext)
  const attention = useContext(AttentionContext)
  const isRead = (news.data || news.error) && (lanes.isRead || lanes.error) && (attention.isRead || attention.error)
  return (
    <>
      <Head title="Now">
        <NotifyButton />
      </Head>
      {isRead ? (
        <>
          <Since news={news} />
          <div class="now">
            <div>
              <Live />
              <Needs looked={looked} />
            </div>
            <Ended looked={looked} />
          </div>
        </>
      ) : (
        <Skeleton rows={5} of="lanes" />
      )}
    </>
  )
}

/** Asks the browser to allow notifications, only when clicked. */
function NotifyButton() {
  const standing = useNotifying()
  if (standing === 'unsupported') return null
  if (standing === 'blocked') {
    return <span class="muted small at-end">Your browser blocks notifications of this page.</span>
  }
  return (
    <button type="button" class="plain at-end" onClick={() => notify(standing === 'off')}>
      <Icon name={standing === 'on' ? 'check' : 'clock'} />
      {standing === 'on' ? 'Stop notifying me' : 'Notify me when an agent waits'}
    </button>
  )
}

function Ended({ looked }: { looked: number }) {
  const project = useScope()
  const mine = useMine()
  const { data, error, isCurrent, reload } = useRead(
    `ended ${mine} ${project.join(' ')}`,
    (signal) => lastEnded({ mine, ...(project.length > 0 && { project }) }, 10, signal),
    {
      touches: isOfRun,
      restMs: 1000,
    },
  )
  if (!data?.length && !error) return null
  return (
    <section aria-labelledby="ended" aria-busy={!isCurrent}>
      <h2 id="ended">Recently finished</h2>
      {error && <Problem error={error} onRetry={reload} />}
      <ul class="rows">
        {data?.map((run) => (
          <Brief key={run.id} run={run} isNew={Date.parse(endOf(run)) > looked} />
        ))}
      </ul>
      <p class="more">
        <a href={href(['runs'], { project, mine: mine && 'true' })}>All runs</a>
      </p>
    </section>
  )
}

const hourMs = 3_600_000
const spansMs = [hourMs, 24 * hourMs, 30 * 24 * hourMs, Number.POSITIVE_INFINITY]

/**
 * The runs that ended last, newest end first. The server lists runs by their creation, so this reads those that
 * ended in the last hour, and adds some of a longer time while they are too few.
 */
async function lastEnded(scope: RunFilter, count: number, signal: AbortSignal): Promise<Run[]> {
  const filter = { ...scope, status: ['completed' as const, 'failed' as const], limit: 100 }
  const found = new Map<number, Run>()
  for (const spanMs of spansMs) {
    const after = Number.isFinite(spanMs) ? { endedAfter: new Date(serverNow() - spanMs).toISOString() } : {}
    const { runs } = await client.listRuns({ ...filter, ...after }, { signal })
    for (const run of runs) found.set(run.id, run)
    if (found.size >= count) break
  }
  return [...found.values()].sort(byEnd).slice(0, count)
}
