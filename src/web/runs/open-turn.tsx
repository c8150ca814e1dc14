import type { Run } from '../../nouns/run/fields.ts'
import type { Turn } from '../../nouns/run/turn-fields.ts'
import { useOpenTurn } from '../data/runs/open-turn.ts'
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
  const now = useNow(1000)
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
