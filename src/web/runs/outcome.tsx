import type { Output } from '../../client/client.ts'
import { spanOf } from '../../contract/span.ts'
import { lookOf, Status, Verdict, verdictLooks } from '../ui/status.tsx'
import { Code, whyFailed } from '../ui/text.tsx'
import { Ago, ErasedAt } from '../ui/time.tsx'
import { costOfUse } from '../ui/words.ts'
import { Attended } from './attended.tsx'
import { Folded } from './folded.tsx'

type FullRun = Output<'getRun'>['run']

/** How a run went: its state and verdict with the reason, why it failed, who worked how long, and at what cost. */
export function RunOutcome({ run }: { run: FullRun }) {
  const { startedAt, endedAt, lastSeenAt, leaseExpiresAt, usage, failure } = run
  const tookMs = startedAt && endedAt ? Date.parse(endedAt) - Date.parse(startedAt) : 0
  const who = [run.agent, run.author?.split(' <')[0]].filter(Boolean).join(' for ')
  return (
    <>
      <p class="standing">
        <Status run={run} />
        <Verdict run={run} />
        <span class="why">
          <Code text={run.why ?? lookOf(verdictLooks, run.verdict).meaning ?? ''} />
        </span>
      </p>
      <p class="standing small muted">
        {who && <span>{who}</span>}
        {!failure && whyFailed(run) && <span>{whyFailed(run)}</span>}
        {tookMs > 0 && <span>took {spanOf(tookMs)}</span>}
        {usage?.costUsd !== undefined && <span>{costOfUse(usage)}</span>}
        {endedAt ? (
          <span>
            ended <Ago at={endedAt} />
          </span>
        ) : (
          lastSeenAt && (
            <span>
              last activity <Ago at={lastSeenAt} />
            </span>
          )
        )}
        {leaseExpiresAt && <span>its agent holds the lease</span>}
        <ErasedAt at={run.erasedAt} />
      </p>
      {(run.status === 'failed' || run.verdict === 'failing') && <Attended run={run} />}
      {failure && (
        <div class="failure">
          <b>{failure.code}</b>
          <Folded text={failure.message}>{(text) => <p>{text}</p>}</Folded>
        </div>
      )}
    </>
  )
}
