import { useState } from 'preact/hooks'
import type { Output } from '../../client/client.ts'
import type { Run } from '../../nouns/run/fields.ts'
import { href, type Route } from '../app/router.ts'
import { useLiveRun } from '../data/lists/lanes.ts'
import { useScope } from '../data/lists/projects.ts'
import { useContent } from '../data/runs/content.ts'
import { useRun } from '../data/runs/run.ts'
import { type RunHistory, useHistory } from '../data/runs/run-history.ts'
import { useLastTurns, useTurns } from '../data/runs/turns.ts'
import type { PageProps } from '../pages.ts'
import { Command } from '../ui/copy.tsx'
import { Head, Tabs } from '../ui/head.tsx'
import { lazy, Problem, Skeleton } from '../ui/loading.tsx'
import { RunChecks } from './checks.tsx'
import { answeredOf, LastAnswer } from './last-answer.tsx'
import { Log } from './log.tsx'
import { RunOutcome } from './outcome.tsx'
import { Outline } from './outline.tsx'
import { RunActions } from './run-actions.tsx'
import { RunFacts } from './run-facts.tsx'
import { Timeline } from './timeline.tsx'
import { WhatChanged } from './what-changed.tsx'

type FullRun = Output<'getRun'>['run']
type LastTurns = ReturnType<typeof useLastTurns>

/** A run by what one comes for: how it went, what it said last, how to go on, and then how it came about. */
export default function RunPage({ project, id: runId, route }: PageProps) {
  const read = useRun(project, runId)
  const history = useHistory(project, runId)
  const last = useLastTurns(project, runId)
  const { run } = read
  const isThere = run && read.error?.code !== 'NOT_FOUND'
  // All at once: what came later would move what is below it.
  const onChange = () => {
    read.reload()
    history.reload()
  }
  const isWhole = (history.isRead || history.error) && (last.data ?? last.error)
  return (
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <a href={href(['runs'], { project: useScope() })}>Runs</a> / <a href={href(['runs'], { project })}>{project}</a>{' '}
        / <span>{runId}</span>
      </nav>
      <Head title={run?.title ?? runId} tab={`${runId} ${run?.title ?? ''}`}>
        {isThere && isWhole && <RunActions run={run} onChange={onChange} />}
      </Head>
      {!isThere && read.error?.code === 'NOT_FOUND' && (
        <p class="empty">
          There is no run {runId} in project {project}, or it was deleted.
        </p>
      )}
      {!isThere && read.error && read.error.code !== 'NOT_FOUND' && (
        <Problem error={read.error} onRetry={read.reload} />
      )}
      {!isThere && !read.error && <Skeleton rows={8} />}
      {isThere && !isWhole && <Skeleton rows={8} />}
      {isThere && isWhole && <Shown run={run} history={history} last={last} route={route} />}
    </>
  )
}

interface ShownProps {
  run: FullRun
  history: RunHistory
  last: LastTurns
  route: Route
}

function Shown({ run: read, history, last, route }: ShownProps) {
  const run = useLiveRun(read)
  const { view, views, usual } = useView(run, route)
  const turns = useTurns(run.project, run.runId)
  const lastTurns = last.data ?? []
  const attempts = history.entries.flatMap((entry) => (entry.kind === 'attempt' ? [entry.run] : []))
  const isWide = view === 'changes' || view === 'raw' || (view === 'log' && run.contentType === 'text/x-terminal')
  return (
    <>
      <RunOutcome run={run} />
      <div class={`beside run${isWide ? ' wide' : ''}${run.turns.count > 0 ? ' of-turns' : ''}`}>
        <div class="overview">
          {last.error && <Problem error={last.error} onRetry={last.reload} />}
          <LastAnswer run={run} turns={lastTurns} />
          <Continue run={run} />
          <WhatChanged run={run} route={route} />
          <RunChecks history={history} />
        </div>
        <section class="told" aria-label={views[view]}>
          <Tabs views={views} usual={usual} view={view} route={route} />
          {view === 'session' && <Session run={run} route={route} read={turns} above={answeredOf(lastTurns)?.n} />}
          {view === 'changes' && <ChangesView run={run} route={route} />}
          {view === 'timeline' && <Timeline history={history} project={run.project} />}
          {(view === 'log' || view === 'raw') && <Written run={run} isRaw={view === 'raw'} route={route} />}
        </section>
        <aside aria-label="About this run">
          <RunFacts run={run} attempts={attempts} />
          {view === 'session' && <Outline turns={turns.turns} route={route} />}
        </aside>
      </div>
    </>
  )
}

const Session = lazy(() => import('./session.tsx'), <Skeleton rows={5} of="lanes" />)
const ChangesView = lazy(() => import('../diff/changes-view.tsx'), <Skeleton rows={8} />)

const ofText = { log: 'Log', raw: 'Raw', timeline: 'Timeline' }

/** What the page shows of a run's work. The view is part of the address. */
function useView(run: FullRun, route: Route) {
  const hasTurns = run.turns.count > 0 || run.turns.open !== undefined || run.activity !== null
  const views: Record<string, string> = {
    ...(hasTurns && { session: 'Session' }),
    ...((hasTurns || run.changes) && { changes: 'Changes' }),
    ...ofText,
  }
  const asked = route.query.get('view') ?? ''
  const first = hasTurns ? 'session' : 'log'
  // Someone who reads the log goes on reading it when the first turn comes.
  const [read] = useState(run.content === '' ? undefined : first)
  const usual = read ?? first
  return { views, usual, view: Object.hasOwn(views, asked) ? asked : usual }
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

/** The command that continues a finished session, or that records the next attempt at other finished work. */
function Continue({ run }: { run: Run & { turns: { count: number } } }) {
  const { project, runId, status, command, turns, where } = run
  if (status !== 'completed' && status !== 'failed') return null
  const resume = resumeOf(run)
  if (resume !== undefined) return <Line label="Resume" command={resume} />
  // Nobody repeats what succeeded without a command, nor a session of an agent that cannot resume it.
  const isSession = turns.count > 0 || where?.session !== undefined
  if (command === null && (status === 'completed' || isSession)) return null
  const again = command !== null && /^[\x20-\x7e]{1,200}$/.test(command) ? asWords(command) : ''
  return (
    <Line
      label={again === '' ? 'Retry: write the command after the dashes' : 'Retry'}
      command={`conduct exec --project ${project} --retry-of ${runId} -- ${again}`}
    />
  )
}

const Line = ({ label, command }: { label: string; command: string }) => (
  <p class="retry">
    <span class="muted small">{label}</span>
    <Command text={command} />
  </p>
)

/** How agents name the command that continues a session. */
const resumes = new Map([
  ['claude-code', 'claude --resume'],
  ['codex', 'codex resume'],
])

/** The command that continues a session of an agent that has one; undefined where the run does not say which it is. */
function resumeOf({ agent, command, where }: Run): string | undefined {
  const resume = resumes.get(agent ?? '')
  const { cwd, session } = where ?? {}
  if (!resume || command !== null || !cwd || !session) return undefined
  // What an agent reported must not run, or be an option, when it is pasted.
  if (!/^\/[\x20-\x7e\p{L}\p{M}\p{N}]{0,400}$/u.test(cwd) || !/^\w[\w.:-]{0,200}$/.test(session)) return undefined
  return `cd ${quoted(cwd)} && ${resume} ${session}`
}

/** Words without meaning to a shell, or in single quotes. The first one is a program, so it sets no variable. */
const plainWords = /^(?:(?!\w+=)[\w@%+=:,./-]+|'[^']*')(?: (?:[\w@%+=:,./-]|'[^']*'|\\')+)*$/

/** A command line as the words of one command. Otherwise, `&&` and the like would split the line that is pasted. */
const asWords = (command: string) => (plainWords.test(command) ? command : `sh -c ${quoted(command)}`)

/** A word of a shell. */
const quoted = (word: string) => (/^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)
