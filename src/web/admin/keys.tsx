import { useState } from 'preact/hooks'
import type { Output } from '../../client/client.ts'
import { spanOf } from '../../contract/span.ts'
import type { Key } from '../../nouns/key/fields.ts'
import { useList } from '../data/query/list.ts'
import { client } from '../data/query/server.ts'
import { may, readOnlyReason, useSession } from '../data/query/session.ts'
import { Command } from '../ui/copy.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Form } from '../ui/form.tsx'
import { Head } from '../ui/head.tsx'
import { More, Skeleton } from '../ui/loading.tsx'
import { type Appearance, Badge } from '../ui/status.tsx'
import { Author } from '../ui/text.tsx'
import { Ago, dateWords, useNow } from '../ui/time.tsx'
import { KeyForm, PersonField } from './key-form.tsx'

/** The keys of the server or of a project, for admins. */
export default function Keys() {
  const isAdmin = may(useSession(), 'admin')
  return isAdmin ? (
    <Listed />
  ) : (
    <>
      <Head title="Keys" />
      <p class="empty">Keys are for admins: log in with a key that has the permission “admin”.</p>
    </>
  )
}

function Listed() {
  const now = useNow(60_000)
  const isReadOnly = readOnlyReason(useSession()) !== undefined
  const [isMaking, setMaking] = useState(false)
  const [made, setMade] = useState<Output<'createKey'>>()
  const [naming, setNaming] = useState<Key>()
  const [leaving, setLeaving] = useState<Key>()
  // Using a key causes no event.
  const list = useList('keys', 'keys', (page, options) => client.listKeys(page, options), {
    touches: ({ type }) => type.startsWith('key.'),
    everyMs: 60_000,
  })
  const [live, over] = [true, false].map((isLive) => list.items.filter((key) => standingOf(key, now).isLive === isLive))
  const onMade = (key: Output<'createKey'>) => {
    setMade(key)
    list.reload()
  }
  return (
    <>
      <Head title="Keys">
        <button type="button" class="main" disabled={isReadOnly} onClick={() => setMaking(true)}>
          New key
        </button>
      </Head>
      {!list.isRead && !list.error && <Skeleton rows={6} />}
      <ul class="rows keyed">
        {live?.map((key) => (
          <KeyRow key={key.id} it={key} now={now} acts={isReadOnly ? undefined : { setNaming, setLeaving }} />
        ))}
      </ul>
      {over && over.length > 0 && (
        <section aria-labelledby="over">
          <h2 id="over">Revoked or expired</h2>
          <ul class="rows keyed">
            {over.map((key) => (
              <KeyRow key={key.id} it={key} now={now} />
            ))}
          </ul>
        </section>
      )}
      <More list={list} />
      {isMaking && <KeyForm onMade={onMade} onClose={() => setMaking(false)} />}
      {made && <Secret made={made} onClose={() => setMade(undefined)} />}
      {naming && <PersonForm it={naming} onClose={() => setNaming(undefined)} onDone={list.reload} />}
      {leaving && <RevokeForm it={leaving} onClose={() => setLeaving(undefined)} onDone={list.reload} />}
    </>
  )
}

function Secret({ made: { key, secret }, onClose }: { made: Output<'createKey'>; onClose: () => void }) {
  return (
    <Dialog title={`The key of ${key.name}`} onClose={onClose} isFirm>
      <div class="secret">
        <p>Copy the key now. It is shown only this once, and is stored nowhere.</p>
        <Command text={secret} />
        <p class="muted small">Commands take it from the environment, as CONDUCT_API_KEY.</p>
        {key.expiresAt !== null && (
          <p class="muted small">
            It works until {dateWords(key.expiresAt)}. For one that lasts longer: <code>conduct key create</code>
          </p>
        )}
      </div>
    </Dialog>
  )
}

interface KeyFormProps {
  it: Key
  onClose: () => void
  onDone: () => void
}

function PersonForm({ it, onClose, onDone }: KeyFormProps) {
  const [person, setPerson] = useState(it.person ?? '')
  const work = async () => {
    await client.updateKey({ id: it.id, person: person.trim() || null })
    onDone()
  }
  return (
    <Form title={`Who holds ${it.name}?`} label="Save" work={work} onClose={onClose}>
      <PersonField person={person} onInput={setPerson} />
      <p class="muted small">It applies to what the key does from now on.</p>
    </Form>
  )
}

function RevokeForm({ it, onClose, onDone }: KeyFormProps) {
  const work = async () => {
    await client.revokeKey({ id: it.id })
    onDone()
  }
  return (
    <Form title={`Revoke ${it.name}?`} label="Revoke key" isDanger work={work} onClose={onClose}>
      <p>
        Whoever uses <code>{it.prefix}…</code> is refused from the next request on, and logged out here. This cannot be
        taken back; you can create a new key.
      </p>
    </Form>
  )
}

/** A key that expires within this many milliseconds should be replaced. */
const soonMs = 14 * 86_400_000

/** Whether a key still works, and a warning if there is one. */
function standingOf({ revokedAt, expiresAt }: Key, now: number): { isLive: boolean; look?: Appearance } {
  if (revokedAt !== null) return { isLive: false, look: { word: 'Revoked', icon: 'close', tone: 'quiet' } }
  if (expiresAt === null) return { isLive: true }
  const leftMs = Date.parse(expiresAt) - now
  if (leftMs <= 0) return { isLive: false, look: { word: 'Expired', icon: 'clock', tone: 'quiet' } }
  if (leftMs > soonMs) return { isLive: true }
  return { isLive: true, look: { word: `Expires in ${spanOf(leftMs)}`, icon: 'warn', tone: 'doubt' } }
}

interface RowProps {
  it: Key
  now: number
  acts?: { setNaming: (key: Key) => void; setLeaving: (key: Key) => void }
}

function KeyRow({ it, now, acts }: RowProps) {
  const own = useSession().key?.id
  const { look } = standingOf(it, now)
  return (
    <li>
      <div class="what">
        <span class="title">{it.name}</span> {look && <Badge look={look} />}
        <span class="facts">
          <span>number {it.id}</span>
          <code>{it.prefix}…</code>
          <Author author={it.person} />
          {it.machine && <span>on {it.machine}</span>}
          <span>{it.permissions.join(', ')}</span>
          <span>{it.project === null ? 'the whole server' : `in ${it.project}`}</span>
          <span>
            created <Ago at={it.createdAt} />
          </span>
          <span>
            {it.lastUsedAt === null ? (
              'never used'
            ) : (
              <>
                used <Ago at={it.lastUsedAt} />
              </>
            )}
          </span>
          {it.revokedAt === null ? (
            <span>{it.expiresAt === null ? 'does not expire' : `until ${dateWords(it.expiresAt)}`}</span>
          ) : (
            <span>
              revoked <Ago at={it.revokedAt} />
            </span>
          )}
        </span>
      </div>
      {acts && (
        <div class="row">
          {it.id !== own && (
            <button type="button" onClick={() => acts.setNaming(it)}>
              Person<span class="unseen"> of {it.name}</span>
            </button>
          )}
          <button type="button" onClick={() => acts.setLeaving(it)}>
            Revoke<span class="unseen"> {it.name}</span>
          </button>
        </div>
      )}
    </li>
  )
}
