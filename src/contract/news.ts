import { activityTypes } from './event-type.ts'
import { shortened } from './lines.ts'

/** What people want to be told of a run, the most urgent first: it needs somebody, it went wrong, it is over. */
export const newsKinds = ['waiting', 'failing', 'failed', 'vanished', 'idle', 'completed'] as const

export interface News {
  kind: (typeof newsKinds)[number]
  /** The tool that waits, why it failed, or how long the turn was. */
  detail?: string
}

/** The types of the events that may be news. */
export const newsTypes = [...activityTypes, 'run.created', 'run.updated'] as const

/** What a sentence says of a run besides its event. */
export interface RunOf {
  author?: string | null | undefined
  agent?: string | null | undefined
  verdict?: string | undefined
  /** The reason of the verdict. */
  why?: string | null | undefined
}

/** An event, as the log has it. */
interface LoggedEvent {
  type: string
  imported?: true | undefined
  changes: Record<string, [unknown, unknown]>
}

/**
 * What an event is news of; undefined if nobody needs to know. An import is about the past. A run that completes while
 * its checks fail, as `run` knows, is not good news.
 */
export function newsOf({ type, imported, changes }: LoggedEvent, run: RunOf = {}): News | undefined {
  const after = (field: string) => changes[field]?.[1]
  if (imported) return undefined
  if (type === 'run.waiting') return newsWith('waiting', after('tool'))
  if (type === 'run.idle') return newsWith('idle', lengthOf(Number(after('turnSeconds'))))
  if (type !== 'run.created' && type !== 'run.updated') return undefined
  if (after('status') === 'failed') return newsOfFailure(after('failure'))
  if (after('verdict') === 'failing') return newsWith('failing', after('why'))
  if (after('status') !== 'completed') return undefined
  return run.verdict === 'failing' ? newsWith('failing', run.why) : { kind: 'completed' }
}

function newsOfFailure(failure: unknown): News {
  if (!(failure instanceof Object)) return { kind: 'failed' }
  if ('code' in failure && failure.code === 'LEASE_EXPIRED') return { kind: 'vanished' }
  return newsWith('failed', 'message' in failure ? failure.message : undefined)
}

function newsWith(kind: News['kind'], detail: unknown): News {
  const text = typeof detail === 'string' ? oneLine(detail, 200) : ''
  return text === '' ? { kind } : { kind, detail: text }
}

/** A length of time in words: `14 min`. */
export const lengthOf = (seconds: number): string => {
  const minutes = Math.max(1, Math.round(seconds / 60))
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** What happened, in a sentence about the agent, or about the run if it has none: `Mateo's codex waits in RUN-014`. */
export function sentenceOf({ kind, detail }: News, run: RunOf, name: string): string {
  const agent = whoseAgent(run)
  const person = personIn(run.author)
  const [who, at] = agent === undefined ? [person === '' ? name : `${name} of ${person}`, ''] : [agent, name]
  const [inIt, its] = at === '' ? ['', 'its checks'] : [` in ${at}`, `the checks of ${at}`]
  const why = detail === undefined ? '' : `: ${detail}`
  switch (kind) {
    case 'waiting':
      return `${who} waits${detail === undefined ? '' : ` for ${detail}`}${inIt}`
    case 'failing':
      return `${who} fails ${its}${why}`
    case 'failed':
      return `${who} failed${inIt}${why}`
    case 'vanished':
      return `${who} vanished${at && ` from ${at}`}`
    case 'idle':
      return `${who} is idle after ${detail}${inIt}`
    case 'completed':
      return `${who} completed${at && ` ${at}`}`
  }
}

/** Whose agent it is: `Mateo's claude-code`; undefined for a run without an agent. */
export function whoseAgent({ author, agent }: RunOf): string | undefined {
  const name = oneLine(agent ?? '', 60)
  if (name === '') return undefined
  const person = personIn(author)
  return person === '' ? name : `${person}'s ${name}`
}

/** The name of a person, without the mail address. */
const personIn = (author: string | null | undefined) => oneLine((author ?? '').split('<', 1)[0] ?? '', 60)

/** Characters that change the direction of text, and those that nobody sees, except the joiners of emoji and Persian. */
const hidden = /[\p{Bidi_Control}\u200b\u2060-\u2064\ufeff\u{e0000}-\u{e007f}]/gu

/** A text on one line without control and hidden characters, cut to so many characters. */
export const oneLine = (text: string, most: number): string =>
  shortened(
    text
      .replace(hidden, '')
      .replace(/[\p{Cc}\s]+/gu, ' ')
      .trim(),
    most,
  )
