import { useRef } from 'preact/hooks'
import { oneLine, whoseAgent } from '../../contract/news.ts'
import { nameOf } from '../../contract/person.ts'
import type { Event } from '../../log/fields.ts'
import type { Run } from '../../nouns/run/fields.ts'
import { goQuery, href, type Route } from '../app/router.ts'
import { midnightOf, useDay, useDays, useNews } from '../data/lists/days.ts'
import { lastTurnOf } from '../data/lists/ended.ts'
import { useScope } from '../data/lists/projects.ts'
import { useMine } from '../data/lists/whose.ts'
import { useRead } from '../data/query/read.ts'
import { serverNow } from '../data/query/timing.ts'
import type { RunFilter } from '../data/run-filter.ts'
import { endOf } from '../data/runs/run-events.ts'
import { Begin, NoneOfYours } from '../ui/begin.tsx'
import { useInSight } from '../ui/in-sight.ts'
import { Problem, Skeleton } from '../ui/loading.tsx'
import { saysVerdict, Verdict } from '../ui/status.tsx'
import { plainLine, whyFailed } from '../ui/text.tsx'
import { TimeOfDay, timeWords } from '../ui/time.tsx'
import { actorOf } from './event-line.tsx'
import { EventSentence } from './event-row.tsx'

/** How many days the address asks for. */
const daysOf = ({ query }: Route): number => {
  const days = Number(query.get('days'))
  return Number.isInteger(days) && days > 0 ? days : 3
}

/** What runs came to, and what was said about them, by day, the newest first. */
export function Feed({ route }: { route: Route }) {
  const project = useScope()
  const mine = useMine()
  const scope: RunFilter = { mine, ...(project.length > 0 && { project }) }
  const wanted = daysOf(route)
  const { days, hasMore, error, retry } = useDays(scope, wanted)
  const oldest = days.at(-1) ?? 0
  const { data: news, error: noNews, isCurrent, reload } = useNews(scope.project, oldest)
  const newsOf = (day: number) => {
    if (mine) return []
    // Those of a day that was found just now are still to be read.
    if (news ? !isCurrent && day < news.since : !noNews) return undefined
    return news?.events.filter(({ at }) => midnightOf(Date.parse(at)) === day) ?? []
  }
  return (
    <>
      {days.map((day) => (
        <DayOf key={day} day={day} scope={scope} news={newsOf(day)} isLast={!hasMore && days.length === 1} />
      ))}
      {news && isCurrent && !mine && news.since >= oldest && (
        <p class="muted">
          Before {timeWords(new Date(news.since).toISOString())}, failed checks and specs are not shown here, but in
          “All events”.
        </p>
      )}
      {error && <Problem error={error} onRetry={retry} />}
      {noNews && <Problem error={noNews} onRetry={reload} />}
      {hasMore && !error && days.length >= wanted && (
        <p class="more">
          <button type="button" onClick={() => goQuery(route, { days: days.length + 1 }, { replace: true })}>
            Show an earlier day
          </button>
        </p>
      )}
    </>
  )
}

interface DayProps {
  day: number
  scope: RunFilter
  /** What happened on that day besides the ends of runs; undefined until it is read, since it would move those. */
  news: Event[] | undefined
  /** Whether no run has ever ended before that day. */
  isLast: boolean
}

function DayOf({ day, scope, news, isLast }: DayProps) {
  const read = useDay(day, scope)
  const { error, isCurrent, reload } = read
  const data = news && read.data
  const { runs = [], hasMore = false } = data ?? {}
  const lines = [
    ...runs.map((run) => ({ at: endOf(run), line: <RunLine key={`run ${run.id}`} run={run} /> })),
    ...folded((data || error) && news ? news : []).map(({ event, times }) => ({
      at: event.at,
      line: <NewsLine key={`event ${event.seq}`} event={event} times={times} />,
    })),
  ].sort((a, b) => b.at.localeCompare(a.at))
  const id = `day-${day}`
  return (
    <section class="day" aria-labelledby={id} aria-busy={!isCurrent}>
      <h2 id={id}>{dayWords(day)}</h2>
      {error && <Problem error={error} onRetry={reload} />}
      {!data && !error && <Skeleton rows={6} />}
      {data &&
        lines.length === 0 &&
        (!isLast ? (
          <p class="muted">Nothing has ended yet.</p>
        ) : scope.mine ? (
          <NoneOfYours words="None of your runs has ended yet." />
        ) : (
          <Begin words="Nothing has ended yet." />
        ))}
      <ol class="feed">{lines.map(({ line }) => line)}</ol>
      {hasMore && <p class="muted">These are the first {runs.length} runs that ended on this day.</p>}
    </section>
  )
}

const weekday = new Intl.DateTimeFormat('en', { weekday: 'long', month: 'long', day: 'numeric' })

function dayWords(day: number): string {
  const today = midnightOf(serverNow())
  if (day === today) return 'Today'
  return day === midnightOf(today - 1) ? 'Yesterday' : weekday.format(new Date(day))
}

const verbsOf = ({ status, failure }: Run): [verb: string, preposition: string] => {
  if (status === 'completed') return ['finished', '']
  return failure?.code === 'LEASE_EXPIRED' ? ['vanished', ' from'] : ['failed', ' in']
}

/** A run that ended, as a sentence: whose agent, which run, and what came of it. */
function RunLine({ run }: { run: Run }) {
  const place = useRef<HTMLLIElement>(null)
  const isSeen = useInSight(place)
  const { data: turn } = useRead(
    isSeen && run.status === 'completed' ? `turn ${run.project}/${run.runId}` : '',
    (signal) => lastTurnOf(run, signal),
  )
  return (
    <li ref={place}>
      <TimeOfDay at={endOf(run)} />
      <p>
        <Deed run={run} /> <span class="outcome muted">{outcomeOf(run, turn?.answer)}</span>
      </p>
      {saysVerdict(run) ? <Verdict run={run} /> : <span />}
    </li>
  )
}

/** `Mateo's codex finished shop / RUN-014`, or for a run without an agent, `Mateo's run shop / RUN-014 finished`. */
function Deed({ run }: { run: Run }) {
  const { project, runId, title, author } = run
  const agent = whoseAgent(run)
  const [verb, preposition] = verbsOf(run)
  const isOfOneProject = useScope().length === 1
  return (
    <>
      {agent ? `${agent} ${verb}${preposition} ` : author ? `${nameOf(author)}'s run ` : 'Run '}
      <a href={href(['runs', project, runId])}>
        {!isOfOneProject && `${project} / `}
        {runId} · {title ?? 'without a title'}
      </a>
      {!agent && ` ${verb}`}
    </>
  )
}

const longestOutcome = 200

/** Why it failed, what its agent answered, or what its checks say, in a line. */
function outcomeOf(run: Run, answer = ''): string {
  const checked = run.verdict === 'unchecked' ? '' : (run.why ?? '')
  return oneLine(whyFailed(run) ?? plainLine(answer || checked), longestOutcome)
}

/** What one line says of several events of a type, if there are more than `most`. */
const foldedWords: Partial<Record<Event['type'], { most: number; verb: string; what: string }>> = {
  'check.created': { most: 1, verb: 'recorded', what: 'failed checks' },
  'spec.created': { most: 3, verb: 'created', what: 'specs' },
}

/** Such events of a project by one actor, one after another with nothing else between them, become one line. */
function folded(news: Event[]): { event: Event; times: number }[] {
  const rows: [Event, ...Event[]][] = []
  for (const event of news) {
    const [last] = rows.at(-1) ?? []
    const isSame = last?.type === event.type && last.project === event.project && actorOf(last) === actorOf(event)
    if (isSame && foldedWords[event.type]) rows.at(-1)?.push(event)
    else rows.push([event])
  }
  return rows.flatMap((row) => {
    const { most = 1 } = foldedWords[row[0].type] ?? {}
    return row.length > most ? [{ event: row[0], times: row.length }] : row.map((event) => ({ event, times: 1 }))
  })
}

function NewsLine({ event, times }: { event: Event; times: number }) {
  const { verb, what } = foldedWords[event.type] ?? {}
  return (
    <li>
      <TimeOfDay at={event.at} />
      <p>
        {times === 1 ? (
          <EventSentence event={event} times={1} />
        ) : (
          <>
            <b>{actorOf(event)}</b> {verb} {times} {what}
            <span class="muted"> in {event.project}</span>
          </>
        )}
      </p>
      <span />
    </li>
  )
}
