import type { Need } from '../data/attention.ts'
import { dismiss, restore } from '../data/dismissed.ts'
import { Icon } from '../ui/icon.tsx'
import { Badge, type Look, statusLooks, verdictLooks } from '../ui/status.tsx'
import { Brief } from './brief.tsx'

const looks = {
  failed: statusLooks.failed,
  'lease lost': { ...statusLooks.failed, word: 'Lease lost' },
  failing: verdictLooks.failing,
  unchecked: verdictLooks.unchecked,
  stale: verdictLooks.stale,
} satisfies Record<Need['why'], Look>

interface Props {
  need: Need
  isNew: boolean
  /** Whether this person has dismissed it. */
  isDismissed?: boolean
}

/** A run that somebody has to look at, until they say that they did. */
export function NeedRow({ need, isNew, isDismissed = false }: Props) {
  const { run, why } = need
  return (
    <Brief run={run} isNew={isNew} badge={<Badge look={looks[why]} title={run.failure?.message} />}>
      {isDismissed ? (
        <button type="button" class="plain" onClick={() => restore(need)}>
          Restore<span class="unseen"> {run.runId}</span>
        </button>
      ) : (
        <button type="button" class="plain" onClick={() => dismiss(need)} title="Dismiss">
          <Icon name="close" />
          <span class="unseen">Dismiss {run.runId}</span>
        </button>
      )}
    </Brief>
  )
}
