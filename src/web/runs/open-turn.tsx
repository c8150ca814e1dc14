import type { Run } from '../../nouns/run/fields.ts'
import { Doing, StandingWords } from '../now/standing.tsx'
import { useNow } from '../ui/time.tsx'

/** The turn that a session is in. It is recorded when it ends; until then, only what the agent is doing is known. */
export function OpenTurn({ run, n }: { run: Run; n: number }) {
  const now = useNow(1000)
  return (
    <li class="turn open">
      <header>
        <h3>Turn {n}</h3>
        <StandingWords run={run} now={now} />
      </header>
      <Doing run={run} />
    </li>
  )
}
