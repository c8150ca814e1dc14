import { useContext, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { href } from '../app/router.ts'
import type { Need } from '../data/lists/attention.ts'
import { AttentionContext, attentionSince, dismiss, restore } from '../data/lists/needs.ts'
import { useScope } from '../data/lists/projects.ts'
import { dayOf } from '../data/run-filter.ts'
import { Icon } from '../ui/icon.tsx'
import { Problem } from '../ui/loading.tsx'
import { Badge, type Look, statusLooks, verdictLooks } from '../ui/status.tsx'
import { Brief } from './brief.tsx'
import { Why } from './why.tsx'

const shown = 20

/** The runs that need attention, most urgent first, and those that were dismissed. */
export function Needs({ looked }: { looked: number }) {
  const { needs, dismissed, hasMore, isRead, isCurrent, error } = useContext(AttentionContext)
  const [last, setLast] = useState<Need>()
  const onDismiss = (need: Need) => {
    dismiss(need)
    setLast(need)
  }
  return (
    <section aria-labelledby="needs" aria-busy={!isCurrent}>
      <h2 id="needs">
        Needs attention <span class="muted">{isRead && countOf(needs.length, hasMore)}</span>
      </h2>
      {error && <Problem error={error} />}
      {isRead && needs.length === 0 && <p class="empty">{nothing(dismissed.length)}</p>}
      <ul class="rows">
        {needs.slice(0, shown).map((need) => (
          <NeedRow
            key={need.run.id}
            need={need}
            isNew={Date.parse(need.run.updatedAt) > looked}
            onDismiss={() => onDismiss(need)}
          />
        ))}
      </ul>
      {last && <Undo key={last.run.id} need={last} onClose={() => setLast(undefined)} />}
      {dismissed.length > 0 && (
        <details class="dismissed">
          <summary>{dismissed.length} dismissed by you</summary>
          <ul class="rows">
            {dismissed.map((need) => (
              <NeedRow key={need.run.id} need={need} isNew={false} onRestore={() => restore(need)} />
            ))}
          </ul>
        </details>
      )}
      <Elsewhere hidden={needs.slice(shown)} />
    </section>
  )
}

const nothing = (dismissed: number) =>
  dismissed > 0 ? 'You dismissed everything that needs attention.' : 'No open failures in the last 14 days.'

/** Links to what the list does not contain. */
function Elsewhere({ hidden }: { hidden: Need[] }) {
  const { unchecked, stale, hasMore, isPartial } = useContext(AttentionContext)
  const shared = { project: useScope(), createdAfter: dayOf(attentionSince()) }
  const failing = hidden.filter(({ why }) => why === 'failing').length
  const failed = hidden.filter(({ why }) => why === 'failed' || why === 'lease lost').length
  const links = [
    { count: failing, isCut: hasMore, words: 'more with failing checks', filter: { verdict: 'failing' } },
    { count: failed, isCut: hasMore, words: 'more failed', filter: { status: 'failed' } },
    {
      ...{ count: unchecked, isCut: isPartial, words: 'completed, not checked' },
      filter: { status: 'completed', verdict: 'unchecked' },
    },
    { count: stale, isCut: isPartial, words: 'changed since they were checked', filter: { verdict: 'stale' } },
  ]
  return (
    <p class="more">
      {links.map(
        ({ count, isCut, words, filter }) =>
          count > 0 && (
            <a key={words} href={href(['runs'], { ...shared, ...filter })}>
              {countOf(count, isCut)} {words}
            </a>
          ),
      )}
    </p>
  )
}

/** A count, with a plus if there may be more. */
const countOf = (count: number, isCut: boolean) => `${count}${isCut ? '+' : ''}`

const undoMs = 10_000

/** Offers to undo the last dismissal for a while. */
function Undo({ need, onClose }: { need: Need; onClose: () => void }) {
  const button = useRef<HTMLButtonElement>(null)
  // The pressed button is gone, and the focus with it. The next key is for this button.
  useLayoutEffect(() => {
    if (document.activeElement === document.body) button.current?.focus({ preventScroll: true })
  }, [])
  useEffect(() => {
    const timer = setTimeout(onClose, undoMs)
    return () => clearTimeout(timer)
  }, [])
  const undo = () => {
    restore(need)
    onClose()
  }
  return (
    <div class="picks" role="status">
      {need.run.runId} dismissed, for you alone.
      <button ref={button} type="button" onClick={undo}>
        Undo
      </button>
    </div>
  )
}

const needLooks = {
  failed: statusLooks.failed,
  'lease lost': { ...statusLooks.failed, word: 'Vanished' },
  failing: verdictLooks.failing,
  unchecked: verdictLooks.unchecked,
  stale: verdictLooks.stale,
} satisfies Record<Need['why'], Look>

interface RowProps {
  need: Need
  isNew: boolean
  /** Present unless this person has dismissed it. */
  onDismiss?: () => void
  /** Present if this person has dismissed it. */
  onRestore?: () => void
}

/** A run that someone should look at, until they dismiss it. */
function NeedRow({ need, isNew, onDismiss, onRestore }: RowProps) {
  const { runId } = need.run
  return (
    <Brief run={need.run} isNew={isNew} badge={<Badge look={needLooks[need.why]} />} reason={<Why need={need} />}>
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
