import { type Dispatch, type StateUpdater, useState } from 'preact/hooks'
import type { Run } from '../../nouns/run/fields.ts'
import { useKeys } from '../app/keyboard.ts'
import { go, goQuery, href, type Route } from '../app/router.ts'
import { useRunList } from '../data/lists/run-list.ts'
import { unnamed } from '../data/lists/views.ts'
import { hasPerson, useMine } from '../data/lists/whose.ts'
import { useSession } from '../data/query/session.ts'
import { mistakesIn, runFilterOf } from '../data/run-filter.ts'
import { NoneOfYours, orEveryone } from '../ui/begin.tsx'
import { Command } from '../ui/copy.tsx'
import { Head } from '../ui/head.tsx'
import { Problem, Skeleton } from '../ui/loading.tsx'
import { plural } from '../ui/words.ts'
import { comparisonHref } from './comparison.ts'
import { filterNames } from './filter-fields.ts'
import { RunFilters } from './run-filters.tsx'
import { RunResults } from './run-results.tsx'
import { RunTable } from './run-table.tsx'

/** All runs that match the filters in the address. */
export default function Runs({ route }: { route: Route }) {
  const q = route.query.get('q')
  const [picked, setPicked] = useState<Run[]>([])
  const isNobody = !hasPerson(useSession()) && route.query.get('mine') === 'true'
  const mistakes = [...mistakesIn(route.query), ...(isNobody ? ['mine was ignored: your key names no person.'] : [])]
  return (
    <>
      <Head title={route.query.get('view') || 'Runs'} />
      <RunFilters route={route} />
      {mistakes.map((mistake) => (
        <p key={mistake} class="problem" role="alert">
          {mistake}
        </p>
      ))}
      {q ? (
        <RunResults q={q} filter={{ ...runFilterOf(route.query), mine: useMine() }} />
      ) : (
        <Listed route={route} picked={picked} onPicked={setPicked} />
      )}
    </>
  )
}

interface ListedProps {
  route: Route
  /** The runs to compare, which stay picked during a search. */
  picked: Run[]
  onPicked: Dispatch<StateUpdater<Run[]>>
}

function Listed({ route, picked, onPicked }: ListedProps) {
  const filter = { ...runFilterOf(route.query), mine: useMine() }
  const { runs, cursor, fresh, error, isRead, more, retry, restart } = useRunList(filter)
  const order = filter.order ?? 'desc'
  const showNew = () => {
    scrollTo({ top: 0 })
    restart()
  }
  if (error && runs.length === 0) return <Problem error={error} onRetry={retry} />
  return (
    <>
      {/* Always there, so that what comes into it is read out. */}
      <div class="news" role="status">
        {fresh > 0 && (
          <button type="button" onClick={showNew}>
            {fresh >= 100 ? '100 or more new runs' : plural(fresh, 'new run')}
          </button>
        )}
      </div>
      {!isRead && runs.length === 0 && <Skeleton rows={15} />}
      {isRead && runs.length === 0 && <None route={route} />}
      {runs.length > 0 && (
        <RunTable
          runs={runs}
          isBusy={!isRead}
          hasMore={cursor !== undefined}
          order={order}
          picked={picked}
          onPick={(run) => onPicked((before) => pickedAfter(before, run))}
          onEnd={more}
          onOrder={() => goQuery(unnamed(route), { order: order === 'asc' ? undefined : 'asc' })}
        />
      )}
      {error && <Problem error={error} onRetry={retry} />}
      {picked.length > 0 && <Picks picked={picked} onClear={() => onPicked([])} />}
    </>
  )
}

/** At most two runs are picked: a third replaces the first. */
function pickedAfter(before: Run[], run: Run): Run[] {
  const others = before.filter(({ id }) => id !== run.id)
  return others.length < before.length ? others : [...before, run].slice(-2)
}

function Picks({ picked, onClear }: { picked: Run[]; onClear: () => void }) {
  useKeys({ c: () => picked.length === 2 && go(comparisonHref(picked)) })
  return (
    <div class="picks" role="status">
      {picked.length === 2 ? (
        <a class="button main" href={comparisonHref(picked)}>
          Compare {picked.map(({ runId }) => runId).join(' and ')}
        </a>
      ) : (
        <span>Pick another run to compare {picked[0]?.runId} with.</span>
      )}
      <button type="button" class="plain" onClick={onClear}>
        Clear<span class="unseen"> what is picked</span>
      </button>
    </div>
  )
}

function None({ route: { query } }: { route: Route }) {
  const mine = useMine()
  if (filterNames.some((name) => query.has(name))) {
    return (
      <div class="empty">
        <p>{mine ? `No run of yours matches these filters. ${orEveryone}` : 'No runs match these filters.'}</p>
        <button type="button" onClick={() => go(href(['runs'], { project: query.getAll('project') }))}>
          Show all runs
        </button>
      </div>
    )
  }
  if (mine) return <NoneOfYours />
  return (
    <div class="empty">
      <p>No runs yet. To record the sessions of your coding agents, run this in the folder of a project:</p>
      <Command text="conduct init" />
      <p>To record any other command:</p>
      <Command text="conduct exec -- npm test" />
    </div>
  )
}
