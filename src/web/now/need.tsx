import { useAct } from '../data/act.ts'
import { dismissal, type Need } from '../data/attention.ts'
import { clientOf } from '../data/server.ts'
import { may, useSession } from '../data/session.ts'
import { etagOf } from '../data/version.ts'
import { Icon } from '../ui/icon.tsx'
import { Problem } from '../ui/problem.tsx'
import { Badge, type Look, statusLooks, verdictLooks } from '../ui/status.tsx'
import { Brief } from './brief.tsx'

const looks = {
  failed: statusLooks.failed,
  'lease lost': { ...statusLooks.failed, word: 'Lease lost' },
  failing: verdictLooks.failing,
  unchecked: verdictLooks.unchecked,
  stale: verdictLooks.stale,
} satisfies Record<Need['why'], Look>

/** A run that somebody has to look at, until they say that they did. */
export function NeedRow({ need: { run, why }, isNew }: { need: Need; isNew: boolean }) {
  const session = useSession()
  const { act, isBusy, error } = useAct()
  const dismiss = () =>
    act(() =>
      clientOf(run.project).updateRun({
        runId: run.runId,
        labels: { ...run.labels, ...dismissal },
        ifVersion: etagOf(run),
      }),
    )
  return (
    <Brief run={run} isNew={isNew} badge={<Badge look={looks[why]} title={run.failure?.message} />}>
      {may(session, 'agent') && (
        <button type="button" class="plain" disabled={isBusy} onClick={dismiss} title="Dismiss">
          <Icon name="close" />
          <span class="unseen">Dismiss {run.runId}</span>
        </button>
      )}
      {error && <Problem error={error} />}
    </Brief>
  )
}
