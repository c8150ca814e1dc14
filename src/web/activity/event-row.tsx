import type { Event } from '../../api/event.ts'
import { href } from '../app/router.ts'
import { plural } from '../runs/changes.tsx'
import { Ago } from '../ui/ago.tsx'
import { actorOf, ChangeWords } from './event-line.tsx'

/** A change as a sentence: who did what to which thing. `times`: how often in a row. */
export function EventRow({ event, times }: { event: Event; times: number }) {
  const [noun = '', made = ''] = event.type.split('.')
  const isRevoked = noun === 'key' && event.changes.revokedAt !== undefined
  const deed = isRevoked ? 'revoked' : made
  const hasWords = made !== 'deleted' && !isRevoked && Object.keys(event.changes).length > 0
  return (
    <li>
      <Ago at={event.at} />
      <p>
        <b>{actorOf(event)}</b> {times > 1 ? 'wrote to' : deed} {noun} <Subject event={event} noun={noun} />
        {event.project !== null && <span class="muted"> in {event.project}</span>}
        {times > 1
          ? `, ${plural(times, 'time')}`
          : hasWords && (
              <>
                : <ChangeWords changes={event.changes} />
              </>
            )}
      </p>
    </li>
  )
}

/** The name of what changed, as a link where it has a page and is still there. */
function Subject({ event: { type, project, subject }, noun }: { event: Event; noun: string }) {
  const places = ['run', 'spec', 'feature']
  if (type.endsWith('.deleted') || project === null || !places.includes(noun)) return <b>{subject}</b>
  return <a href={href([`${noun}s`, project, subject])}>{subject}</a>
}
