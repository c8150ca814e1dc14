import { useState } from 'preact/hooks'
import type { Delivery, Webhook } from '../../nouns/webhook/fields.ts'
import { useAct } from '../data/query/change.ts'
import { useList } from '../data/query/list.ts'
import { client } from '../data/query/server.ts'
import { may, readOnlyReason, useSession } from '../data/query/session.ts'
import { Command } from '../ui/copy.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Form } from '../ui/form.tsx'
import { Head } from '../ui/head.tsx'
import { More, Problem, Skeleton } from '../ui/loading.tsx'
import { DeleteForm, outcomeOf, ReplayForm, type WebhookAction, WebhookDialog, WebhookRow } from './webhook.tsx'
import { WebhookForm } from './webhook-form.tsx'

/** The webhooks of the server or of a project, for admins. */
export default function Webhooks() {
  if (may(useSession(), 'admin')) return <Listed />
  return (
    <>
      <Head title="Webhooks" />
      <p class="empty">Webhooks are for admins: log in with a key that has the permission “admin”.</p>
    </>
  )
}

/** The open dialog. */
type Open = { action: WebhookAction; id: number } | { action: 'new' }

interface CreatedWebhook {
  webhook: Webhook
  secret: string
}

function Listed() {
  const isReadOnly = readOnlyReason(useSession()) !== undefined
  const [open, setOpen] = useState<Open>()
  const [made, setMade] = useState<CreatedWebhook>()
  const [tested, setTested] = useState<Delivery>()
  const { act, error } = useAct()
  // Deliveries cause no events.
  const list = useList('webhooks', 'webhooks', (page, options) => client.listWebhooks(page, options), {
    touches: ({ type }) => type.startsWith('webhook.'),
    everyMs: 5_000,
  })
  const test = (id: number) => {
    // It may be that of a webhook that is gone.
    setOpen(undefined)
    return act(async () => {
      setTested((await client.testWebhook({ id })).delivery)
      list.reload()
    })
  }
  return (
    <>
      <Head title="Webhooks">
        <button type="button" class="main" disabled={isReadOnly} onClick={() => setOpen({ action: 'new' })}>
          New webhook
        </button>
      </Head>
      {error && <Problem error={error} />}
      {list.isRead && list.items.length === 0 && <NoWebhook />}
      {!list.isRead && !list.error && <Skeleton rows={6} />}
      <ul class="rows keyed">
        {list.items.map((it) => (
          <WebhookRow
            key={it.id}
            it={it}
            onTest={isReadOnly ? undefined : () => test(it.id)}
            onManage={() => setOpen({ action: 'manage', id: it.id })}
          />
        ))}
      </ul>
      <More list={list} />
      {open && <Opened open={open} items={list.items} onOpen={setOpen} onMade={setMade} onDone={list.reload} />}
      {/* A test takes a while, so another dialog may be open by then. */}
      {tested && !open && <Tested it={tested} onClose={() => setTested(undefined)} />}
      {made && <Secret {...made} onClose={() => setMade(undefined)} />}
    </>
  )
}

function NoWebhook() {
  return (
    <div class="empty">
      <p>A webhook sends what happens to another program or a chat. To tell a channel which agents wait or fail:</p>
      <Command text="conduct webhook create --all-projects --url https://hooks.slack.com/services/… --format text" />
    </div>
  )
}

interface OpenedProps {
  open: Open
  items: Webhook[]
  onOpen: (open: Open | undefined) => void
  onMade: (made: CreatedWebhook) => void
  onDone: () => void
}

function Opened({ open, items, onOpen, onMade, onDone }: OpenedProps) {
  const onClose = () => onOpen(undefined)
  if (open.action === 'new') return <WebhookForm onMade={onMade} onDone={onDone} onClose={onClose} />
  const it = items.find(({ id }) => id === open.id)
  if (!it) return null
  const props = { it, onDone, onClose }
  if (open.action === 'edit') return <WebhookForm webhook={it} onDone={onDone} onClose={onClose} />
  if (open.action === 'replay') return <ReplayForm {...props} />
  if (open.action === 'rotate') return <RotateForm it={it} onMade={onMade} onClose={onClose} />
  if (open.action === 'delete') return <DeleteForm {...props} />
  return <WebhookDialog {...props} onAction={(action) => onOpen({ action, id: it.id })} />
}

function Tested({ it, onClose }: { it: Delivery; onClose: () => void }) {
  return (
    <Dialog title="Test message" onClose={onClose}>
      <p>{it.error === null ? 'The receiver accepted it.' : 'It was not delivered.'}</p>
      <p>
        <b>{outcomeOf(it)}</b>
      </p>
    </Dialog>
  )
}

interface RotateProps {
  it: Webhook
  onMade: (made: CreatedWebhook) => void
  onClose: () => void
}

function RotateForm({ it, onMade, onClose }: RotateProps) {
  const work = async () => onMade(await client.rotateWebhookSecret({ id: it.id }))
  return (
    <Form title="Rotate the secret?" label="Rotate secret" work={work} onClose={onClose}>
      <p>A new secret signs from now on. For a day, the old one signs, too, so that the receiver can switch.</p>
    </Form>
  )
}

function Secret({ secret, webhook: { url }, onClose }: CreatedWebhook & { onClose: () => void }) {
  return (
    <Dialog title="The signing secret" onClose={onClose} isFirm>
      <div class="secret">
        <p>Copy the secret now: it is not shown again. With it, {url} verifies that a message is from here.</p>
        <Command text={secret} />
      </div>
    </Dialog>
  )
}
