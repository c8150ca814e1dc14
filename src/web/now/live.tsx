import { useContext, useState } from 'preact/hooks'
import type { Run } from '../../nouns/run/fields.ts'
import { href } from '../app/router.ts'
import { LanesContext } from '../data/lists/lanes.ts'
import { useScope } from '../data/lists/projects.ts'
import { isOf, useMine } from '../data/lists/whose.ts'
import { knownUntil } from '../data/log/stream.ts'
import { useSession } from '../data/query/session.ts'
import { Begin, NoneOfYours } from '../ui/begin.tsx'
import { Problem } from '../ui/loading.tsx'
import { useNow } from '../ui/time.tsx'
import { plural } from '../ui/words.ts'
import { Lane } from './lane.tsx'
import { standingOf } from './standing.tsx'

/** How many lines are shown at first, of which a waiting lane takes two. Waiting and silent ones are, however many. */
const shownLines = 12

/** One lane per run in progress, those that somebody must act on first and larger. */
export function Live() {
  const { runs, waiting, hasMore, isRead, isCurrent, error, reload } = useContext(LanesContext)
  const project = useScope()
  const mine = useMine() && 'true'
  const [isAll, setAll] = useState(false)
  const { urgent, others } = useUrgent(runs, waiting)
  const some = isAll ? others : others.slice(0, Math.max(0, shownLines - urgent.length - waiting.length))
  const folded = others.slice(some.length)
  return (
    <section aria-labelledby="live" aria-busy={!isCurrent}>
      <div class="lanes-head">
        <h2 id="live">
          In progress <span class="muted">{isRead && `${runs.length}${hasMore ? '+' : ''}`}</span>
          {waiting.length > 0 && <span class="new">{`${waiting.length}${hasMore ? '+' : ''}`} waiting</span>}
        </h2>
        {(folded.length > 0 || isAll) && (
          <button type="button" class="plain" aria-expanded={isAll} onClick={() => setAll(!isAll)}>
            {isAll ? 'Show fewer' : `Show ${moreOf(folded)}`}
          </button>
        )}
      </div>
      {error && <Problem error={error} onRetry={reload} />}
      {isRead && runs.length === 0 && isCurrent && <Nothing isMine={mine !== undefined} />}
      <ul class="lanes">
        {[...urgent, ...some].map((run) => (
          <Lane key={run.id} run={run} isWaiting={waiting.includes(run)} />
        ))}
      </ul>
      {hasMore && (
        <p class="more">
          <a href={href(['runs'], { project, mine, status: 'in_progress' })}>All runs in progress</a>
        </p>
      )}
    </section>
  )
}

const Nothing = ({ isMine }: { isMine: boolean }) =>
  isMine ? <NoneOfYours words="None of your runs is in progress." /> : <Begin words="Nothing is in progress." />

/** Those that wait for a person, first for the one at this page, those that are silent for too long, and the others. */
function useUrgent(runs: Run[], waiting: Run[]): { urgent: Run[]; others: Run[] } {
  const now = knownUntil(useNow(60_000))
  const session = useSession()
  const isSilent = (run: Run) => standingOf({ run, now }).look === 'quiet-too-long'
  const mineFirst = waiting.toSorted((a, b) => Number(isOf(session, b)) - Number(isOf(session, a)))
  const urgent = [...mineFirst, ...runs.filter((run) => !waiting.includes(run) && isSilent(run))]
  return { urgent, others: runs.filter((run) => !urgent.includes(run)) }
}

function moreOf(runs: Run[]): string {
  const idle = runs.filter(({ activity }) => activity?.state === 'idle').length
  const atWork = runs.length - idle
  if (atWork === 0) return `${plural(idle, 'more idle agent')}`
  return `${atWork} more at work${idle > 0 ? `, ${idle} idle` : ''}`
}
