import type { ComponentChildren } from 'preact'
import { useContext } from 'preact/hooks'
import type { Event } from '../../api/event.ts'
import { href, type Route } from '../app/router.ts'
import { useLooked } from '../data/looked.ts'
import { useRead } from '../data/read.ts'
import { client } from '../data/server.ts'
import { AttentionContext } from '../data/use-attention.ts'
import { plural } from '../runs/changes.tsx'
import { Command } from '../ui/copy.tsx'
import { Head } from '../ui/head.tsx'
import { Problem } from '../ui/problem.tsx'
import { Brief } from './brief.tsx'
import { byUrgency, Lane } from './lane.tsx'
import { NeedRow } from './need.tsx'
import { Trends } from './trends.tsx'

const shownLanes = 20
const shownNeeds = 20

const isOfRun = ({ type }: Event) => type.startsWith('run.')

/** What happens now, and what somebody has to look at. */
export function Now({ route }: { route: Route }) {
  const looked = useLooked()
  const { isRead, error } = useContext(AttentionContext)
  return (
    <>
      <Head title="Now" />
      <Live />
      <Needs looked={looked} />
      {/* Each waits for what is above it, which would move it. */}
      {(isRead || error) && (
        <Ended looked={looked}>
          <Trends route={route} />
        </Ended>
      )}
    </>
  )
}

/** One lane for each run in progress. No event tells of heartbeats and activities, so they are polled. */
function Live() {
  const { data, error, reload } = useRead(
    'live',
    (signal) => client.listRuns({ status: ['in_progress'], limit: 100 }, { signal }),
    { touches: isOfRun, restMs: 500, everyMs: 5_000 },
  )
  const runs = byUrgency(data?.runs ?? []).slice(0, shownLanes)
  const waiting = data?.runs.filter(({ activity }) => activity?.state === 'waiting').length ?? 0
  const more = (data?.runs.length ?? 0) - runs.length
  return (
    <section aria-labelledby="live">
      <h2 id="live">
        In progress <span class="muted">{data && `${data.runs.length}${data.meta.hasMore ? '+' : ''}`}</span>
        {waiting > 0 && <span class="new">{waiting} waiting for you</span>}
      </h2>
      {error && <Problem error={error} onRetry={reload} />}
      {data?.runs.length === 0 && (
        <div class="empty">
          <p>Nothing is in progress. To record any command as a run:</p>
          <Command text="conduct exec -- claude -p 'Fix the flaky test'" />
        </div>
      )}
      <ul class="lanes">
        {runs.map((run) => (
          <Lane key={run.id} run={run} />
        ))}
      </ul>
      {more > 0 && <a href={href(['runs'], { status: 'in_progress' })}>{plural(more, 'more run')} in progress</a>}
    </section>
  )
}

function Needs({ looked }: { looked: number }) {
  const { needs, dismissed, unchecked, stale, isRead, error } = useContext(AttentionContext)
  return (
    <section aria-labelledby="needs">
      <h2 id="needs">
        Needs attention <span class="muted">{isRead && needs.length}</span>
      </h2>
      {error && <Problem error={error} />}
      {isRead && needs.length === 0 && <p class="empty">{nothing(dismissed.length)}</p>}
      <ul class="rows">
        {needs.slice(0, shownNeeds).map((need) => (
          <NeedRow key={need.run.id} need={need} isNew={Date.parse(need.run.updatedAt) > looked} />
        ))}
      </ul>
      {dismissed.length > 0 && (
        <details>
          <summary>{dismissed.length} dismissed by you</summary>
          <ul class="rows">
            {dismissed.map((need) => (
              <NeedRow key={need.run.id} need={need} isNew={false} isDismissed />
            ))}
          </ul>
        </details>
      )}
      <p class="more">
        {needs.length > shownNeeds && (
          <a href={href(['runs'], { status: 'failed' })}>{plural(needs.length - shownNeeds, 'more run')}</a>
        )}
        {unchecked > 0 && (
          <a href={href(['runs'], { status: 'completed', verdict: 'unchecked' })}>{unchecked} completed, not checked</a>
        )}
        {stale > 0 && <a href={href(['runs'], { verdict: 'stale' })}>{stale} changed since they were checked</a>}
      </p>
    </section>
  )
}

const nothing = (dismissed: number) =>
  dismissed > 0 ? 'You dismissed everything that needs attention.' : 'No open failures in the last 14 days.'

function Ended({ looked, children }: { looked: number; children: ComponentChildren }) {
  const { data, error, reload } = useRead(
    'ended',
    (signal) => client.listRuns({ status: ['completed', 'failed'], limit: 10 }, { signal }),
    { touches: isOfRun, restMs: 1000 },
  )
  if (!data && !error) return null
  return (
    <>
      {error && <Problem error={error} onRetry={reload} />}
      {data && data.runs.length > 0 && (
        <section aria-labelledby="ended">
          <h2 id="ended">Recently finished</h2>
          <ul class="rows">
            {data.runs.map((run) => (
              <Brief key={run.id} run={run} isNew={Date.parse(run.endedAt ?? run.createdAt) > looked} />
            ))}
          </ul>
          <p class="more">
            <a href={href(['runs'])}>All runs</a>
          </p>
        </section>
      )}
      {children}
    </>
  )
}
