import { invalid } from '../../contract/error.ts'
import { shifted } from '../../contract/span.ts'
import type { RunStatus } from '../run/fields.ts'
import type { RetentionInput } from './fields.ts'

/** How long a project keeps what its runs say, and the runs themselves. Null: forever. */
export interface Retention {
  contentDays: number | null
  runDays: number | null
  /** Runs that are kept whole, however old they are. */
  keep: { failed: boolean; labels: string[] }
}

/**
 * The retention that a caller gives; null where that keeps everything. VALIDATION_ERROR for contents that outlive their
 * runs, and for runs to keep where no days are given.
 */
export function retentionOf(given: RetentionInput | null): Retention | null {
  const { contentDays = null, runDays = null, keep = {} } = given ?? {}
  if (contentDays === null && runDays === null) {
    if (!keep.failed && !keep.labels?.length) return null
    throw invalid(
      'retention.keep',
      'is only for a retention with contentDays or runDays: without them, the project keeps all runs',
    )
  }
  if (contentDays !== null && runDays !== null && contentDays >= runDays) {
    throw invalid(
      'retention.contentDays',
      `must be less than runDays (${runDays}), not ${contentDays}: the runs are gone by then`,
    )
  }
  return { contentDays, runDays, keep: { failed: keep.failed ?? false, labels: [...new Set(keep.labels ?? [])] } }
}

/** What decides whether a run is kept. */
export interface Aging {
  status: RunStatus
  endedAt: string | null
  updatedAt: string
  /** The names of its labels. */
  labels: readonly string[]
  /** When retention erased its texts; null: it has not, or what belongs to the run has got one since. */
  expiredAt: string | null
  /** The last change of its checks, which do not change the run; null if it has none. */
  checkedAt: string | null
}

/** Whether a run may have texts that retention has not erased. */
export const hasTexts = ({ expiredAt, updatedAt, checkedAt }: Aging): boolean =>
  expiredAt === null || expiredAt < updatedAt || (checkedAt !== null && expiredAt < checkedAt)

type Fate = 'kept' | 'erased' | 'deleted'

const dayMs = 86_400_000

/** The moment that is `days` before `now`; undefined for null days. */
const before = (now: string, days: number | null) => (days === null ? undefined : shifted(now, -days * dayMs))

/**
 * What becomes of a run. It is as old as its end; a run that never ended is as old as its last change. A run in progress
 * is kept.
 */
export function fateOf(run: Aging, { contentDays, runDays, keep }: Retention, now: string): Fate {
  if (run.status === 'in_progress') return 'kept'
  if (keep.failed && run.status === 'failed') return 'kept'
  if (keep.labels.some((label) => run.labels.includes(label))) return 'kept'
  const at = run.endedAt ?? run.updatedAt
  const isOlder = (limit: string | undefined) => limit !== undefined && at < limit
  if (isOlder(before(now, runDays))) return 'deleted'
  return hasTexts(run) && isOlder(before(now, contentDays)) ? 'erased' : 'kept'
}
