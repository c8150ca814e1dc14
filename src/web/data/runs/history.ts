import { firstLine } from '../../../contract/lines.ts'
import type { Event } from '../../../log/fields.ts'
import type { TimelineEntry } from '../../../nouns/run/timeline-fields.ts'
import type { Turn } from '../../../nouns/run/turn-fields.ts'
import { isAppend } from './run-events.ts'

export type TurnEntry = Extract<TimelineEntry, { kind: 'turn' }>

/** What happened to a run: its turns, and everything else. */
export interface History {
  /** Oldest first. */
  others: TimelineEntry[]
  /** In the order of their numbers, without gaps. The first ones of a long run are not among them. */
  turns: TurnEntry[]
}

/** The history that the server returns, with the turns that were known before. */
export function historyOf(timeline: TimelineEntry[], known: TurnEntry[]): History {
  const others = timeline.filter((entry) => entry.kind !== 'turn' && !(entry.kind === 'omitted' && entry.of === 'turn'))
  const turns = timeline.filter((entry) => entry.kind === 'turn')
  return { others, turns: joined(known, turns) }
}

const numberOf = (entry: TurnEntry | undefined): number => entry?.turn.n ?? 0

/** Both lists of turns as one without gaps. Of two lists that do not meet, only the newer one is kept. */
export function joined(known: TurnEntry[], read: TurnEntry[]): TurnEntry[] {
  if (known.length === 0 || read.length === 0) return read.length === 0 ? known : read
  const [first, last] = [numberOf(read[0]), numberOf(read.at(-1))]
  if (first > numberOf(known.at(-1)) + 1) return read
  if (last < numberOf(known[0]) - 1) return known
  return [
    ...known.filter((entry) => numberOf(entry) < first),
    ...read,
    ...known.filter((entry) => numberOf(entry) > last),
  ]
}

/** All entries, oldest first. Turns keep their own order, because clocks may disagree with it. */
export function entriesOf({ others, turns }: History): TimelineEntry[] {
  let next = 0
  const all = others.flatMap((entry) => {
    const from = next
    while (next < turns.length && (turns[next] as TurnEntry).at < entry.at) next++
    return [...turns.slice(from, next), entry]
  })
  return [...all, ...turns.slice(next)]
}

/** The entries with an append. One that is already counted changes nothing. */
export function withAppend(others: TimelineEntry[], { seq, at }: Event): TimelineEntry[] {
  const index = others.findLastIndex(({ kind }) => kind === 'event' || kind === 'appends')
  const last = others[index]
  if (last?.kind === 'appends' && at > last.until) {
    return others.with(index, { ...last, until: at, appends: last.appends + 1 })
  }
  if (last?.kind === 'event' && seq > last.event.seq) return [...others, { kind: 'appends', at, until: at, appends: 1 }]
  return others
}

/** A turn as the history shows it. */
export function entryOf({ createdAt: at, prompt = '', ...turn }: Turn): TurnEntry {
  const { n, startedAt, endedAt, model, failure, interrupted } = turn
  return {
    kind: 'turn',
    at,
    turn: { n, title: firstLine(prompt, longest) || null, startedAt, endedAt, model, failure, interrupted },
  }
}

const longest = 100

/** The fields that change with every turn. */
const ofAppends = ['content', 'usage', 'changes', 'git', 'title']

/**
 * What an event means to the history of a run: an append to count, a new turn, or anything else, after which everything
 * is read again; undefined if it is about something else.
 */
export function meaningOf(
  event: Event,
  project: string,
  runId: string,
  others: TimelineEntry[],
): 'append' | 'turn' | 'other' | undefined {
  if (event.project !== project) return undefined
  const [noun, deed] = event.type.split('.')
  if (noun === 'turn') return deed === 'created' && event.subject.startsWith(`${runId}/`) ? 'turn' : undefined
  if (noun === 'check') return isCheckOf(event, runId, others) ? 'other' : undefined
  if (noun !== 'run') return undefined
  if (event.subject !== runId) return isAttempt(event, runId, others) ? 'other' : undefined
  return isAppend(event) && Object.keys(event.changes).every((field) => ofAppends.includes(field)) ? 'append' : 'other'
}

const isCheckOf = ({ subject, changes }: Event, runId: string, others: TimelineEntry[]) =>
  changes.runId?.[1] === runId || others.some((entry) => entry.kind === 'check' && entry.check.checkId === subject)

/** Whether another run is an attempt at the same task, and the event changes how it is shown. */
function isAttempt({ type, subject, changes }: Event, runId: string, others: TimelineEntry[]): boolean {
  const known = others.flatMap((entry) => (entry.kind === 'attempt' ? [entry.run.runId] : []))
  if (known.includes(subject)) return type === 'run.deleted' || 'status' in changes || 'verdict' in changes
  const before = changes.retryOf?.[1]
  return before === runId || known.some((one) => one === before)
}
