import { go, goQuery, href, type Route } from '../app/router.ts'
import { mistakesIn, runFilterOf } from '../data/run-filter.ts'
import { useRunList } from '../data/run-list.ts'
import { Command } from '../ui/copy.tsx'
import { Head } from '../ui/head.tsx'
import { Problem } from '../ui/problem.tsx'
import { plural } from './changes.tsx'
import { RunFilters } from './run-filters.tsx'
import { RunResults } from './run-results.tsx'
import { RunTable } from './run-table.tsx'

/** All runs that the filters in the address find. */
export function Runs({ route }: { route: Route }) {
  const q = route.query.get('q')
  return (
    <>
      <Head title="Runs" />
      <RunFilters route={route} />
      {mistakesIn(route.query).map((mistake) => (
        <p key={mistake} class="problem" role="alert">
          {mistake}
        </p>
      ))}
      {q ? <RunResults q={q} filter={runFilterOf(route.query)} /> : <Listed route={route} />}
    </>
  )
}

function Listed({ route }: { route: Route }) {
  const filter = runFilterOf(route.query)
  const { runs, cursor, fresh, error, isRead, more, restart } = useRunList(filter)
  const order = filter.order ?? 'desc'
  const showNew = () => {
    scrollTo({ top: 0 })
    restart()
  }
  if (error && runs.length === 0) return <Problem error={error} onRetry={restart} />
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
      {isRead && runs.length === 0 && <None isFiltered={route.query.size > 0} />}
      {runs.length > 0 && (
        <RunTable
          runs={runs}
          hasMore={cursor !== undefined}
          order={order}
          onEnd={more}
          onOrder={() => goQuery(route, { order: order === 'asc' ? undefined : 'asc' })}
        />
      )}
      {error && <Problem error={error} onRetry={more} />}
    </>
  )
}

function None({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered) {
    return (
      <div class="empty">
        <p>No runs match these filters.</p>
        <button type="button" onClick={() => go(href(['runs']))}>
          Show all runs
        </button>
      </div>
    )
  }
  return (
    <div class="empty">
      <p>No runs yet. To record any command as a run:</p>
      <Command text="conduct exec -- npm test" />
    </div>
  )
}
