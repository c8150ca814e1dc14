import type { Event } from '../../log/fields.ts'
import { statusLooks, verdictLooks } from '../ui/status.tsx'
import { Code } from '../ui/text.tsx'
import { plural } from '../ui/words.ts'

/** Who made a change: the name of the key, or the kind of actor. */
export function actorOf({ actor }: Event): string {
  if (actor.name !== undefined) return actor.name
  return actor.kind === 'system' ? 'Conduct' : actor.kind === 'local' ? 'Local user' : `key ${actor.keyId}`
}

const names: Record<string, string> = {
  specId: 'spec',
  leaseExpiresAt: 'lease',
  createdAt: 'created at',
  startedAt: 'start',
  endedAt: 'end',
  retryOf: 'retry of',
  exitCode: 'exit code',
  durationMs: 'duration',
  runId: 'run',
  expiresAt: 'expires',
  turnSeconds: 'seconds of the turn',
}
/** These follow from other fields, which are shown. */
const derived = ['startedAt', 'endedAt', 'evidence']

const nameOf = (field: string) => names[field] ?? field

const shownIn = (changes: Event['changes']) => Object.entries(changes).filter(([field]) => !derived.includes(field))

/** How many fields a folded event names. */
const named = 4

/** The names of the changed fields: `status, labels`. */
export function fieldsOf({ changes }: Pick<Event, 'changes'>): string {
  const fields = shownIn(changes).map(([field]) => nameOf(field))
  if (fields.length <= named) return fields.join(', ')
  return `${fields.slice(0, named - 1).join(', ')} and ${fields.length - named + 1} more`
}

/** The changes of an event in words: `status Pending → Completed, labels`. */
export function ChangeWords({ changes }: Pick<Event, 'changes'>) {
  return (
    <span class="moves">
      {shownIn(changes).map(([field, [before, after]]) => (
        <span key={field}>
          {nameOf(field)} <Move field={field} before={before} after={after} />
        </span>
      ))}
    </span>
  )
}

function Move({ field, before, after }: { field: string; before: unknown; after: unknown }) {
  if (field === 'content') return <b>{bytesOf(after) === undefined ? 'removed' : grownBy(before, after)}</b>
  if (field === 'leaseExpiresAt') return <b>{after === null ? 'ended' : before === null ? 'taken' : 'renewed'}</b>
  const [from, to] = [wordOf(field, before), wordOf(field, after)]
  const shown = (text: string) => (field === 'why' ? <Code text={text} /> : text)
  if (from === '') return <b>{shown(to)}</b>
  return (
    <>
      <s>{shown(from)}</s> → <b>{to === '' ? 'none' : shown(to)}</b>
    </>
  )
}

const bytesOf = (digest: unknown) =>
  digest instanceof Object && 'bytes' in digest && typeof digest.bytes === 'number' ? digest.bytes : undefined

function grownBy(before: unknown, after: unknown): string {
  const [from = 0, to = 0] = [bytesOf(before), bytesOf(after)]
  return to >= from ? `+${plural(to - from, 'byte')}` : `now ${plural(to, 'byte')}`
}

const longest = 80

function wordOf(field: string, value: unknown): string {
  if (value === null || value === undefined) return ''
  if (field === 'status' && typeof value === 'string') return lookUp(statusLooks, value)
  if (field === 'verdict' && typeof value === 'string') return lookUp(verdictLooks, value)
  const text = typeof value === 'string' ? value : listed(value)
  return text.length > longest ? `${text.slice(0, longest)}…` : text
}

function listed(value: unknown): string {
  if (Array.isArray(value)) return value.map((one) => (one instanceof Object ? JSON.stringify(one) : one)).join(', ')
  if (!(value instanceof Object)) return String(value)
  return Object.entries(value)
    .map(([name, one]) => `${name}: ${one instanceof Object ? JSON.stringify(one) : one}`)
    .join(', ')
}

const lookUp = (looks: Record<string, { word: string }>, value: string) =>
  Object.hasOwn(looks, value) ? (looks[value]?.word ?? value) : value
