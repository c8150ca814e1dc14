import type { Webhook } from '../../nouns/webhook/fields.ts'
import { Badge, type Look } from '../ui/status.tsx'
import { Ago } from '../ui/time.tsx'
import { plural } from '../ui/words.ts'

const reasons: Record<NonNullable<Webhook['disabledReason']>, string> = {
  request: 'Disabled',
  failing: 'Disabled after 5 days of failure',
  gone: 'Disabled: the receiver responded with 410',
}

/** The state of a webhook, if it needs a mention. */
export function lookOf({ enabled, disabledReason, failures }: Webhook): Look | undefined {
  if (!enabled) {
    const isAsked = disabledReason === 'request'
    return { word: reasons[disabledReason ?? 'request'], icon: 'close', tone: isAsked ? 'quiet' : 'bad' }
  }
  return failures > 0 ? { word: 'Failing', icon: 'warn', tone: 'bad' } : undefined
}

interface Props {
  it: Webhook
  onTest: () => void
  onManage: () => void
}

export function WebhookRow({ it, onTest, onManage }: Props) {
  const look = lookOf(it)
  return (
    <li>
      <div class="what">
        <span class="title">{it.url}</span> {look && <Badge look={look} />}
        <span class="facts">
          <span>{it.project === null ? 'the whole server' : `in ${it.project}`}</span>
          <span>{it.types.length === 0 ? 'all events' : it.types.join(', ')}</span>
          <span>{it.lag === 0 ? 'up to date' : `${plural(it.lag, 'event')} behind`}</span>
          <span>
            {it.deliveredAt === null ? (
              'nothing delivered yet'
            ) : (
              <>
                delivered <Ago at={it.deliveredAt} />
              </>
            )}
          </span>
        </span>
        {it.lastError !== null && <span class="facts">Last attempt: {it.lastError}</span>}
      </div>
      <div class="row">
        <button type="button" onClick={onTest}>
          Test<span class="unseen"> {it.url}</span>
        </button>
        <button type="button" onClick={onManage}>
          Manage<span class="unseen"> {it.url}</span>
        </button>
      </div>
    </li>
  )
}
