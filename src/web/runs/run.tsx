import { useState } from 'preact/hooks'
import type { Output } from '../../client/client.ts'
import { href, type Route } from '../app/router.ts'
import { useLiveRun } from '../data/lists/lanes.ts'
import { useContent } from '../data/runs/content.ts'
import { useRun } from '../data/runs/run.ts'
import { type RunHistory, useHistory } from '../data/runs/run-history.ts'
import type { PageProps } from '../pages.ts'
import { Head, Tabs } from '../ui/head.tsx'
import { lazy, Problem, Skeleton } from '../ui/loading.tsx'
import { Status, Verdict, verdictLooks } from '../ui/status.tsx'
import { ErasedAt, spanOf, When } from '../ui/time.tsx'
import { Checks, checkCounts } from './checks.tsx'
import { Log } from './log.tsx'
import { RunActions } from './run-actions.tsx'
import { RunFacts } from './run-facts.tsx'
import { Timeline } from './timeline.tsx'
import { type FilesRead, useRunFiles, WhatChanged } from './what-changed.tsx'

type FullRun = Output<'getRun'>['run']

/** A run: how it went, what changed, what was checked, and above all, what to do about it. */
export default function RunPage({ project, id: runId, route }: PageProps) {
  const read = useRun(project, runId)
  const history = useHistory(project, runId)
  const files = useRunFiles(project, runId)
  const { run } = read
  const isThere = run && read.error?.code !== 'NOT_FOUND'
  // All at once: what came later would move what is below it.
  const onChange = () => {
    read.reload()
    history.reload()
  }
  const isWhole = (history.isRead || history.error) && (files.data ?? files.error)
  return (
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href={href(['runs'])}>Runs</a> / <a href={href(['runs'], { project })}>{project}</a> / <span>{runId}</span>
      </nav>
      <Head title={run?.title ?? runId} tab={`${runId} ${run?.title ?? ''}`} />
      {!isThere && read.error && <Problem error={read.error} onRetry={read.reload} />}
      {!isThere && !read.error && <Skeleton rows={8} />}
      {isThere && !isWhole && <Skeleton rows={8} />}
      {isThere && isWhole && <Shown run={run} history={history} files={files} route={route} onChange={onChange} />}
    </>
  )
}

interface ShownProps {
  run: FullRun
  history: RunHistory
  files: FilesRead
  route: Route
  onChange: () => void
}

function Shown({ run: read, history, files, route, onChange }: ShownProps) {
  const run = useLiveRun(read)
  const attempts = history.entries.flatMap((entry) => (entry.kind === 'attempt' ? [entry.run] : []))
  return (
    <>
      <Standing run={run} />
      <RunActions run={run} onChange={onChange} />
      {run.failure && (
        <div class="failure">
          <b>{run.failure.code}</b>
          <p>{run.failure.message}</p>
        </div>
      )}
      <div class="beside">
        <div>
          <Work run={run} history={history} files={files} />
          <Told run={run} history={history} route={route} />
        </div>
        <aside aria-label="About this run">
          <RunFacts run={run} attempts={attempts} />
        </aside>
      </div>
    </>
  )
}

/** What it changed, and what checks found. */
function Work({ run, history, files }: Pick<ShownProps, 'run' | 'history' | 'files'>) {
  const checks = history.entries.flatMap((entry) => (entry.kind === 'check' ? [entry.check] : [])).reverse()
  const isPart = history.entries.some((entry) => entry.kind === 'omitted' && entry.of === 'check')
  return (
    <>
      <section aria-labelledby="changed">
        <h2 id="changed">What changed</h2>
        <WhatChanged run={run} files={files} />
      </section>
      <section aria-labelledby="checks">
        <h2 id="checks">
          Checks{' '}
          <span class="muted">
            {checkCounts(checks)}
            {isPart && ` among the newest ${checks.length}`}
          </span>
        </h2>
        {checks.length > 0 && <Checks checks={checks} />}
      </section>
    </>
  )
}

/** Its state in words. */
function Standing({ run }: { run: FullRun }) {
  const { startedAt, endedAt, lastSeenAt, leaseExpiresAt } = run
  const tookMs = startedAt && endedAt ? Date.parse(endedAt) - Date.parse(startedAt) : 0
  return (
    <p class="standing">
      <Status run={run} />
      <Verdict run={run} />
      <span class="muted">{run.why ?? verdictLooks[run.verdict].meaning}</span>
      {tookMs > 0 && <span class="muted">took {spanOf(tookMs)}</span>}
      {endedAt ? (
        <span class="muted">
          ended <When at={endedAt} />
        </span>
      ) : (
        lastSeenAt && (
          <span class="muted">
            last activity <When at={lastSeenAt} />
          </span>
        )
      )}
      {leaseExpiresAt && <span class="muted">held by its agent</span>}
      <ErasedAt at={run.erasedAt} />
    </p>
  )
}

const Session = lazy(() => import('./session.tsx'), <Skeleton rows={5} of="lanes" />)

const ofText = { log: 'Log', raw: 'Raw', timeline: 'Timeline' }
const ofSession = { session: 'Session', ...ofText }

/** What it wrote and what happened to it. The view is part of the address. */
function Told({ run, history, route }: Omit<ShownProps, 'onChange' | 'files'>) {
  const views: Record<string, string> = run.turns.count > 0 || run.turns.open || run.activity ? ofSession : ofText
  const asked = route.query.get('view') ?? ''
  const [first] = Object.keys(views) as [string]
  // Someone who reads the log goes on reading it when the first turn comes.
  const [read] = useState(run.content === '' ? undefined : first)
  const usual = read ?? first
  const view = Object.hasOwn(views, asked) ? asked : usual
  return (
    <section aria-label={views[view]}>
      <Tabs label="Views" views={views} usual={usual} view={view} route={route} />
      {view === 'session' && <Session run={run} route={route} />}
      {view === 'timeline' && <Timeline history={history} project={run.project} />}
      {(view === 'log' || view === 'raw') && <Written run={run} isRaw={view === 'raw'} route={route} />}
    </section>
  )
}

/** The content of a run as it grows. */
function Written({ run, isRaw, route }: { run: FullRun; isRaw: boolean; route: Route }) {
  const content = useContent(run.project, run.runId, run.id)
  const { length, isRead, error } = content
  return (
    <>
      {error && <Problem error={error} />}
      {!isRead && !error && <Skeleton rows={6} />}
      {isRead && length === 0 && <p class="empty">No output{run.endedAt ? '.' : ' yet.'}</p>}
      {length > 0 && <Log run={run} content={content} isRaw={isRaw} route={route} />}
    </>
  )
}
