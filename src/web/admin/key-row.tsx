import type { Key } from '../../nouns/key/fields.ts'
import { Badge, type Look } from '../ui/status.tsx'
import { Ago, spanOf } from '../ui/time.tsx'

/** A key that expires within this many milliseconds should be replaced. */
const soonMs = 14 * 86_400_000

/** Whether a key still works, and a warning if there is one. */
export function standingOf({ revokedAt, expiresAt }: Key, now: number): { isLive: boolean; look?: Look } {
  if (revokedAt !== null) return { isLive: false, look: { word: 'Revoked', icon: 'close', tone: 'quiet' } }
  if (expiresAt === null) return { isLive: true }
  const leftMs = Date.parse(expiresAt) - now
  if (leftMs <= 0) return { isLive: false, look: { word: 'Expired', icon: 'clock', tone: 'quiet' } }
  if (leftMs > soonMs) return { isLive: true }
  return { isLive: true, look: { word: `Expires in ${spanOf(leftMs)}`, icon: 'warn', tone: 'doubt' } }
}

const day = new Intl.DateTimeFormat('en', { dateStyle: 'medium' })

interface Props {
  it: Key
  now: number
  onRevoke?: (key: Key) => void
}

export function KeyRow({ it, now, onRevoke }: Props) {
  const { look } = standingOf(it, now)
  return (
    <li>
      <div class="what">
        <span class="title">{it.name}</span> {look && <Badge look={look} />}
        <span class="facts">
          <code>{it.prefix}…</code>
          <span>{it.permissions.join(', ')}</span>
          <span>{it.project === null ? 'the whole server' : `in ${it.project}`}</span>
          <span>
            {it.lastUsedAt === null ? (
              'never used'
            ) : (
              <>
                used <Ago at={it.lastUsedAt} />
              </>
            )}
          </span>
          <span>{it.expiresAt === null ? 'does not expire' : `until ${day.format(new Date(it.expiresAt))}`}</span>
        </span>
      </div>
      {onRevoke && (
        <button type="button" class="danger" onClick={() => onRevoke(it)}>
          Revoke<span class="unseen"> {it.name}</span>
        </button>
      )}
    </li>
  )
}
