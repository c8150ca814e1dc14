import { activityTypes } from './event-type.ts'

/** What people want to be told of a run, the most urgent first: it needs somebody, it went wrong, it is over. */
export const newsKinds = ['waiting', 'failing', 'failed', 'vanished', 'idle', 'completed'] as const

export interface News {
  kind: (typeof newsKinds)[number]
  /** The tool that waits, why it failed, or how long the turn was. */
  detail?: string
}

/** The types of the events that may be news. */
export const newsTypes = [...activityTypes, 'run.created', 'run.updated'] as const

/** An event, as the log has it. */
interface Told {
  type: string
  imported?: true | undefined
  changes: Record<string, [unknown, unknown]>
}

/** What an event is news of; undefined if nobody needs to be told. An import tells of the past. */
export function newsOf({ type, imported, changes }: Told): News | undefined {
  const after = (field: string) => changes[field]?.[1]
  if (imported) return undefined
  if (type === 'run.waiting') return newsWith('waiting', after('tool'))
  if (type === 'run.idle') return newsWith('idle', lengthOf(Number(after('turnSeconds'))))
  if (type !== 'run.created' && type !== 'run.updated') return undefined
  if (after('status') === 'failed') return newsOfFailure(after('failure'))
  if (after('verdict') === 'failing') return newsWith('failing', after('why'))
  return after('status') === 'completed' ? { kind: 'completed' } : undefined
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

/** What happened in a run, as the end of a sentence that begins with whose agent it is: `waits for Bash in RUN-014`. */
export function deedOf({ kind, detail }: News, run: string): string {
  const why = detail === undefined ? '' : `: ${detail}`
  switch (kind) {
    case 'waiting':
      return `waits ${detail === undefined ? '' : `for ${detail} `}in ${run}`
    case 'failing':
      return `fails the checks of ${run}${why}`
    case 'failed':
      return `failed in ${run}${why}`
    case 'vanished':
      return `vanished from ${run}`
    case 'idle':
      return `is idle after ${detail} in ${run}`
    case 'completed':
      return `completed ${run}`
  }
}

/** Whose agent it is: `Mateo's claude-code`. The mail address of the author is left out. */
export function whoseAgent(run: { author?: string | null | undefined; agent?: string | null | undefined }): string {
  const [name = ''] = (run.author ?? '').split('<', 1)
  const person = oneLine(name, 60)
  const agent = oneLine(run.agent ?? '', 60)
  if (person !== '') return `${person}'s ${agent || 'agent'}`
  return agent || 'An agent'
}

/** A text on one line without control characters, cut to so many characters. */
export function oneLine(text: string, most: number): string {
  const line = text.replace(/[\p{Cc}\s]+/gu, ' ').trim()
  return line.length > most ? `${line.slice(0, most - 1).toWellFormed()}…` : line
}
