import type { Run } from '../../nouns/run/fields.ts'
import type { Turn } from '../../nouns/run/turn-fields.ts'
import { knownUntil } from '../data/log/stream.ts'
import { useRead } from '../data/query/read.ts'
import { clientOf } from '../data/query/server.ts'
import { isTurnOf } from '../data/runs/run-events.ts'
import { Doing, StandingWords } from '../now/standing.tsx'
import { Ago, useNow } from '../ui/time.tsx'
import { Folded } from './folded.tsx'
import { Commands, Files, Plan, Subagents, Tools } from './turn-parts.tsx'

/** The turn that a session is in, as far as it is known, or one whose end was lost. `n` is the number of the next turn. */
export function OpenTurn({ run, n }: { run: Run; n: number }) {
  const known = useOpenTurn(run)
  // By now, it may be closed and among the others.
  const turn = known?.n === n ? known : undefined
  const isLive = run.activity !== null && run.activity.state !== 'idle'
  if (!turn && !isLive) return null
  return (
    <li class="turn open unfolded" id={`turn-${n}`}>
      <header>
        <span class="n">
          <span class="unseen">Turn </span>
          {n}
        </span>
        <h3>{isLive ? <Standing run={run} /> : <span class="muted">not finished</span>}</h3>
      </header>
      <div class="turn-body">
        {turn && <Times turn={turn} />}
        {turn && <Work turn={turn} />}
        {run.activity?.tool && isLive && (
          <p>
            <span class="muted">Now:</span> <Doing run={run} />
          </p>
        )}
      </div>
    </li>
  )
}

function Standing({ run }: { run: Run }) {
  const now = knownUntil(useNow(1000))
  return <StandingWords run={run} now={now} />
}

function Times({ turn: { startedAt, createdAt, seenAt, model } }: { turn: Turn }) {
  return (
    <span class="facts">
      <span>
        began <Ago at={startedAt ?? createdAt} />
      </span>
      {seenAt && (
        <span>
          last seen <Ago at={seenAt} />
        </span>
      )}
      {model && <span>{model}</span>}
    </span>
  )
}

function Work({ turn }: { turn: Turn }) {
  return (
    <>
      {turn.prompt && (
        <div class="prompt">
          <Folded text={turn.prompt}>{(text) => <p>{text}</p>}</Folded>
        </div>
      )}
      <Plan items={turn.plan} />
      <Files turn={turn} />
      <Commands commands={turn.commands} />
      <Tools tools={turn.tools} />
      <Subagents agents={turn.agents} />
    </>
  )
}

/** How often to read the open turn, in milliseconds: heartbeats have no events. */
const pollMs = 5_000

/** The open turn of a run, as its recorder reported it last; undefined if none is open. */
function useOpenTurn({ project, runId, status, activity }: Run): Turn | undefined {
  const isLive = status === 'in_progress' && activity?.state !== 'idle'
  const { data } = useRead(
    `open turn ${project}/${runId}`,
    (signal) => clientOf(project).listTurns({ runId, order: 'desc', limit: 1 }, { signal }),
    {
      touches: (event) => event.type.startsWith('turn.') && isTurnOf(event, project, runId),
      ...(isLive && { everyMs: pollMs }),
    },
  )
  return data?.turns.find(({ open }) => open)
}
