import { Fragment } from 'preact'
import type { TimelineEntry } from '../../nouns/run/timeline-fields.ts'
import { deedOf } from '../activity/deed.ts'
import { actorOf } from '../activity/event-line.tsx'
import { Details, Outcome } from '../activity/event-row.tsx'
import { href } from '../app/router.ts'
import type { RunHistory } from '../data/runs/run-history.ts'
import { Problem } from '../ui/loading.tsx'
import { Badge, lookOf, resultLooks, Status, Verdict } from '../ui/status.tsx'
import { Ago } from '../ui/time.tsx'
import { plural } from '../ui/words.ts'
import { sourceOf } from './checks.tsx'

/** The history of a run, newest first. */
export function Timeline({ history, project }: { history: RunHistory; project: string }) {
  const { entries, missing, error, reload, earlier } = history
  return (
    <>
      {error && <Problem error={error} onRetry={reload} />}
      <ol class="timeline">
        {entries
          .filter(isKnown)
          .toReversed()
          .map((entry) => (
            <Fragment key={keyOf(entry)}>
              <li>
                <Ago at={entry.at} />
                <Entry entry={entry} project={project} />
              </li>
              {missing > 0 && entry.kind === 'turn' && entry.turn.n === missing + 1 && (
                <Missing count={missing} onMore={earlier} />
              )}
            </Fragment>
          ))}
      </ol>
    </>
  )
}

/** Takes the place of earlier turns. */
const Missing = ({ count, onMore }: { count: number; onMore: () => void }) => (
  <li class="missing">
    <p class="muted">
      {leftOut(count, 'earlier turn')}
      <button type="button" onClick={onMore}>
        Show more
      </button>
    </p>
  </li>
)

const leftOut = (count: number, noun: string) => `${plural(count, noun)} ${count === 1 ? 'is' : 'are'} not shown here.`
const nouns: Record<string, string> = {
  event: 'change',
  turn: 'turn',
  check: 'earlier check',
  attempt: 'earlier attempt',
}

/** A newer server may have kinds of entries that this page cannot show. */
const isKnown = ({ kind }: TimelineEntry) => ['appends', 'omitted'].includes(kind) || Object.hasOwn(nouns, kind)

/** Names an entry as long as the page is open, so that an opened one stays open while others come. */
function keyOf(entry: TimelineEntry): string {
  if (entry.kind === 'event') return `event ${entry.event.seq}`
  if (entry.kind === 'turn') return `turn ${entry.turn.n}`
  if (entry.kind === 'check') return `check ${entry.check.checkId}`
  if (entry.kind === 'attempt') return `attempt ${entry.run.runId}`
  if (entry.kind === 'omitted') return `omitted ${entry.of}`
  return `appends ${entry.at}`
}

function Entry({ entry, project }: { entry: TimelineEntry; project: string }) {
  if (entry.kind === 'appends') return <p>wrote {plural(entry.appends, 'time')}</p>
  if (entry.kind === 'omitted') return <p class="muted">{leftOut(entry.count, nouns[entry.of] ?? 'entry')}</p>

  if (entry.kind === 'turn') {
    const { n, title, failure, interrupted } = entry.turn
    return (
      <p>
        turn {n} {title && <b>{title}</b>} {failure && <span>failed: {failure.message}</span>}{' '}
        {interrupted && 'interrupted'}
      </p>
    )
  }
  if (entry.kind === 'check') {
    const { check } = entry
    const { words, who } = sourceOf(check)
    return (
      <p>
        check <b>{check.name}</b> <Badge look={lookOf(resultLooks, check.result)} />{' '}
        <span class="muted">{[words, who].filter(Boolean).join(' · ')}</span>{' '}
        {check.updatedAt > check.createdAt && (
          <span class="muted">
            as it is since <Ago at={check.updatedAt} />
          </span>
        )}
      </p>
    )
  }
  if (entry.kind === 'attempt') {
    const { run } = entry
    return (
      <p>
        attempt {run.attempt}, <a href={href(['runs', project, run.runId])}>{run.runId}</a>, now{' '}
        <Status run={{ ...run, failure: null }} /> <Verdict run={run} />
      </p>
    )
  }
  const { event } = entry
  const deed = deedOf(event)
  return (
    <div>
      {deed.isVerdict ? (
        'The verdict'
      ) : (
        <>
          <b>{actorOf(event)}</b> {deed.verb} the run
        </>
      )}
      <Outcome deed={deed} />
      <Details event={event} />
    </div>
  )
}
