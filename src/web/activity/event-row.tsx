import { useState } from 'preact/hooks'
import type { Event } from '../../log/fields.ts'
import { href } from '../app/router.ts'
import { Ago } from '../ui/time.tsx'
import { deedOf, type EventWords, erasedOf } from './deed.ts'
import { actorOf, ChangeWords, fieldsOf } from './event-line.tsx'

/** To the second: a reader of the log looks for what happened at a certain time. */
const exact = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' })

/** A change as a sentence, with its fields to unfold. `times` says how often in a row. */
export function EventRow({ event, times }: { event: Event; times: number }) {
  return (
    <li>
      <Ago at={event.at} />
      <div>
        <EventSentence event={event} times={times} />{' '}
        <time class="muted small" dateTime={event.at}>
          {exact.format(new Date(event.at))}
        </time>
        {times === 1 && !event.type.endsWith('.deleted') && <Details event={event} />}
      </div>
    </li>
  )
}

/** Who did what to which thing. */
export function EventSentence({ event, times }: { event: Event; times: number }) {
  const [noun = ''] = event.type.split('.')
  const deed = deedOf(event, times)
  // What needs attention is a run.
  const [object, did] = noun === 'attention' ? ['run', deed.verb] : [noun, `${deed.verb ?? ''} ${noun}`.trim()]
  return (
    <>
      {deed.isVerdict ? 'The verdict of' : did && <b>{actorOf(event)}</b>}{' '}
      {noun === 'erasure' ? (
        `erased ${erasedOf(event)}`
      ) : (
        <>
          {did} <Subject event={event} noun={object} />
          <Outcome deed={deed} />
        </>
      )}
      {event.project !== null && <span class="muted"> in {event.project}</span>}
    </>
  )
}

/** What comes after the name of the changed thing. */
export function Outcome({ deed: { title, outcome } }: { deed: EventWords }) {
  return (
    <>
      {title !== undefined && (
        <>
          {' '}
          “<span>{title}</span>”{outcome && ':'}
        </>
      )}
      {outcome && (
        <>
          {outcome.startsWith('now ') ? ', ' : ' '}
          <span>{outcome}</span>
        </>
      )}
    </>
  )
}

/** The changes field by field, folded at first. */
export function Details({ event }: { event: Event }) {
  const [isOpen, setOpen] = useState(false)
  const fields = fieldsOf(event)
  if (fields === '') return null
  return (
    <details class="event-fields" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{fields}</summary>
      {isOpen && <ChangeWords changes={event.changes} />}
    </details>
  )
}

/** The name of the changed thing, with a link if it has a page and still exists. */
function Subject({ event: { type, project, subject }, noun }: { event: Event; noun: string }) {
  const places = ['run', 'turn', 'spec', 'feature']
  if (type.endsWith('.deleted') || project === null || !places.includes(noun)) return <b>{subject}</b>
  const [runId = '', turn] = noun === 'turn' ? subject.split('/') : []
  const address = turn === undefined ? href([`${noun}s`, project, subject]) : href(['runs', project, runId], { turn })
  return <a href={address}>{subject}</a>
}
