import { useState } from 'preact/hooks'
import type { Delivery, Webhook } from '../../nouns/webhook/fields.ts'
import { useAct } from '../data/query/change.ts'
import { useRead } from '../data/query/read.ts'
import { client } from '../data/query/server.ts'
import { mayAdminister, useSession } from '../data/query/session.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Field, Form } from '../ui/form.tsx'
import { Problem } from '../ui/loading.tsx'
import { type Appearance, Badge } from '../ui/status.tsx'
import { Fact } from '../ui/text.tsx'
import { Ago, timeWords } from '../ui/time.tsx'
import { plural } from '../ui/words.ts'

const reasons: Record<NonNullable<Webhook['disabledReason']>, string> = {
  request: 'Disabled',
  failing: 'Disabled after 5 days of failure',
  gone: 'Disabled: the receiver responded with 410',
}

/** The state of a webhook, if it needs a mention. */
function lookOf({ enabled, disabledReason, failures }: Webhook): Appearance | undefined {
  if (!enabled) {
    const isAsked = disabledReason === 'request'
    return {
      word: reasons[disabledReason ?? 'request'] ?? reasons.request,
      icon: 'close',
      tone: isAsked ? 'quiet' : 'bad',
    }
  }
  return failures > 0 ? { word: 'Failing', icon: 'warn', tone: 'bad' } : undefined
}

interface RowProps {
  it: Webhook
  /** Undefined where nothing can be changed. */
  onTest: (() => void) | undefined
  onManage: () => void
}

export function WebhookRow({ it, onTest, onManage }: RowProps) {
  const look = lookOf(it)
  return (
    <li>
      <div class="what">
        <span class="title">{it.url}</span> {look && <Badge look={look} />}
        <span class="facts">
          <span>{it.project === null ? 'the whole server' : `in ${it.project}`}</span>
          {it.format !== 'events' && <span>{it.format}</span>}
          <span>
            {it.types.length > 0
              ? it.types.join(', ')
              : it.format === 'events'
                ? 'all events'
                : 'waits, ends and failures'}
          </span>
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
        {onTest && (
          <button type="button" onClick={onTest}>
            Test<span class="unseen"> {it.url}</span>
          </button>
        )}
        <button type="button" onClick={onManage}>
          Manage<span class="unseen"> {it.url}</span>
        </button>
      </div>
    </li>
  )
}

/** The actions on a webhook, each in its own dialog. */
export type WebhookAction = 'manage' | 'edit' | 'replay' | 'rotate' | 'delete'

interface Props {
  it: Webhook
  onAction: (action: WebhookAction) => void
  onDone: () => void
  onClose: () => void
}

export function WebhookDialog({ it, onAction, onDone, onClose }: Props) {
  return (
    <Dialog title={`Webhook ${it.id}`} onClose={onClose}>
      <dl class="facts-list">
        <Fact name="URL">{it.url}</Fact>
        <Fact name="Format">{it.format}</Fact>
        <Fact name="State">{lookOf(it)?.word ?? 'Enabled'}</Fact>
        <Fact name="Delivered up to event">{String(it.after)}</Fact>
        <Fact name="Next attempt">{it.nextAttemptAt && timeWords(it.nextAttemptAt)}</Fact>
        <Fact name="Last error">{it.lastError}</Fact>
      </dl>
      {mayAdminister(useSession()) && <Actions it={it} onAction={onAction} onDone={onDone} />}
      <Deliveries id={it.id} />
    </Dialog>
  )
}

function Actions({ it, onAction, onDone }: Omit<Props, 'onClose'>) {
  const { id, enabled } = it
  const { act, isBusy, error } = useAct()
  const enable = async (enabled: boolean) => {
    if (await act(() => client.updateWebhook({ id, enabled }))) onDone()
  }
  return (
    <>
      <div class="row wrap">
        <button type="button" disabled={isBusy} onClick={() => enable(!enabled)}>
          {enabled ? 'Disable' : 'Enable'}
        </button>
        {enabled && it.failures > 0 && (
          <button type="button" disabled={isBusy} onClick={() => enable(true)}>
            Retry now
          </button>
        )}
        <button type="button" onClick={() => onAction('edit')}>
          Edit
        </button>
        <button type="button" onClick={() => onAction('replay')}>
          Send again
        </button>
        <button type="button" onClick={() => onAction('rotate')}>
          Rotate secret
        </button>
        <button type="button" class="danger" onClick={() => onAction('delete')}>
          Delete
        </button>
      </div>
      {error && <Problem error={error} />}
    </>
  )
}

function Deliveries({ id }: { id: number }) {
  const read = useRead(`deliveries ${id}`, () => client.listWebhookDeliveries({ id, limit: 20 }), { everyMs: 5_000 })
  return (
    <section aria-labelledby="deliveries">
      <h3 id="deliveries">Last deliveries</h3>
      {read.error && <Problem error={read.error} onRetry={read.reload} />}
      {read.data?.deliveries.length === 0 && <p class="muted">Nothing was sent yet.</p>}
      <ul class="deliveries">
        {read.data?.deliveries.map((delivery) => (
          <li key={delivery.id}>
            <Ago at={delivery.at} /> {contentOf(delivery)}: <b>{outcomeOf(delivery)}</b>
          </li>
        ))}
      </ul>
    </section>
  )
}

const contentOf = ({ firstSeq, lastSeq, attempt }: Delivery) => {
  const what =
    firstSeq === null ? 'test' : firstSeq === lastSeq ? `event ${firstSeq}` : `events ${firstSeq} to ${lastSeq}`
  return attempt > 1 ? `${what}, attempt ${attempt}` : what
}

/** The result of a delivery. */
export const outcomeOf = ({ error, statusCode, durationMs }: Delivery) =>
  error ?? `accepted with ${statusCode} in ${durationMs} ms`

interface FormProps {
  it: Webhook
  onDone: () => void
  onClose: () => void
}

export function ReplayForm({ it: { id, after }, onDone, onClose }: FormProps) {
  const [from, setFrom] = useState('0')
  const work = async () => {
    await client.updateWebhook({ id, after: Number(from) })
    onDone()
  }
  return (
    <Form title="Send events again" label="Send again" work={work} onClose={onClose}>
      <p>Everything up to event {after} was delivered. The receiver gets the events after this one again.</p>
      <Field name="after" label="After event; 0: from the beginning of the log">
        <input
          type="number"
          min="0"
          step="1"
          required
          value={from}
          onInput={(event) => setFrom(event.currentTarget.value)}
        />
      </Field>
    </Form>
  )
}

export function DeleteForm({ it: { id, url }, onDone, onClose }: FormProps) {
  const work = async () => {
    await client.deleteWebhook({ id })
    onDone()
  }
  return (
    <Form title={`Delete webhook ${id}?`} label="Delete webhook" isDanger work={work} onClose={onClose}>
      <p>{url} receives no further events. Its position in the log and its deliveries are lost.</p>
    </Form>
  )
}
