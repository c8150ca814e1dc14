import type { Need } from '../data/lists/attention.ts'
import { Icon } from '../ui/icon.tsx'
import { Badge, type Look, statusLooks, verdictLooks } from '../ui/status.tsx'
import { Brief } from './brief.tsx'
import { Why } from './why.tsx'

const looks = {
  failed: statusLooks.failed,
  'lease lost': { ...statusLooks.failed, word: 'Vanished' },
  failing: verdictLooks.failing,
  unchecked: verdictLooks.unchecked,
  stale: verdictLooks.stale,
} satisfies Record<Need['why'], Look>

interface Props {
  need: Need
  isNew: boolean
  /** Present unless this person has dismissed it. */
  onDismiss?: () => void
  /** Present if this person has dismissed it. */
  onRestore?: () => void
}

/** A run that someone should look at, until they dismiss it. */
export function NeedRow({ need, isNew, onDismiss, onRestore }: Props) {
  const { runId } = need.run
  return (
    <Brief run={need.run} isNew={isNew} badge={<Badge look={looks[need.why]} />} reason={<Why need={need} />}>
      {onRestore && (
        <button type="button" class="plain" onClick={onRestore}>
          Restore<span class="unseen"> {runId}</span>
        </button>
      )}
      {onDismiss && (
        <button type="button" class="plain" onClick={onDismiss} title="Dismiss">
          <Icon name="close" />
          <span class="unseen">Dismiss {runId}</span>
        </button>
      )}
    </Brief>
  )
}
