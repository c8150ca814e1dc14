import { isActivity } from '../../contract/event-type.ts'
import { type News, newsKinds, newsOf, sentenceOf as newsSentence, oneLine, type RunOf } from '../../contract/news.ts'
import type { Event } from '../../log/fields.ts'

/** What a sentence says of a run besides its event. */
export interface RunFacts extends RunOf {
  title: string | null
  /** What it does now; undefined if it has ended. */
  state: string | undefined
}

/** An event that a message may tell. */
export interface EventOfRun {
  event: Event
  /** The run that it is about; undefined for other events, and if the run is gone. */
  run?: RunFacts | undefined
}

/** How to name things in a message. */
export interface MessageNaming {
  /** Whether the events are those of several projects, so that ids need theirs. */
  isWhole: boolean
  /** The address of the page, without a slash at its end; undefined leaves the links out. */
  publicUrl?: string | undefined
  /** The types that the webhook asks for; empty for what is news. */
  types: readonly string[]
  now: string
}

/** A message for people. */
export interface Said {
  sentence: string
  link?: string
  /** The projects that it tells of. */
  projects: string[]
}

interface EventWithNews extends EventOfRun {
  news?: News | undefined
}

/** After so many milliseconds, a wait or a rest that is over by now is no news. */
const staleMs = 60_000

/** The message for events in the order of the log: a sentence, or a digest of several; undefined if nobody needs to know. */
export function saidOf(entries: readonly EventOfRun[], naming: MessageNaming): Said | undefined {
  const newest = lastOfEach(entries.flatMap((entry) => withNews(entry, naming) ?? []))
  const [first, ...others] = newest
  if (!first) return undefined
  const isOne = others.length === 0
  const link = naming.publicUrl && `${naming.publicUrl}/#/${isOne ? addressOf(first.event) : ''}`
  return {
    sentence: isOne ? sentenceOf(first, naming) : digestOf(newest, naming),
    ...(link && { link }),
    projects: [...new Set(newest.flatMap(({ event }) => event.project ?? []))],
  }
}

function withNews({ event, run }: EventOfRun, { types, now }: MessageNaming): EventWithNews | undefined {
  const news = newsOf(event, run)
  const isOver = isActivity(event.type) && run?.state !== news?.kind
  if (isOver && Date.parse(now) - Date.parse(event.at) > staleMs) return undefined
  // A run changes often, for instance with each of its leases.
  const isAsked = types.includes(event.type) && event.type !== 'run.updated'
  return news || isAsked ? { event, run, news } : undefined
}

/** The last news of each run, and all other events. That checks fail stays news when the run ends. */
function lastOfEach(events: readonly EventWithNews[]): EventWithNews[] {
  const last = new Map<string, EventWithNews>()
  for (const one of events) {
    const { seq, project, subject } = one.event
    const key = one.news ? `${project}/${subject}` : String(seq)
    const before = last.get(key)?.news?.kind
    const isLess = before === 'failing' && (one.news?.kind === 'completed' || one.news?.kind === 'idle')
    if (!isLess) last.set(key, one)
  }
  return [...last.values()]
}

const addressOf = ({ type, project, subject }: Event) =>
  type.startsWith('run.') && project !== null
    ? `runs/${encodeURIComponent(project)}/${encodeURIComponent(subject)}`
    : ''

const nameOf = ({ project, subject }: Event, { isWhole }: MessageNaming) =>
  isWhole && project !== null ? `${project}/${subject}` : subject

function sentenceOf({ event, run, news }: EventWithNews, naming: MessageNaming): string {
  const name = nameOf(event, naming)
  const shown = oneLine(run?.title ?? '', 200)
  const title = shown && ` · ${shown}`
  if (news) return newsSentence(news, run ?? {}, name) + title
  const [noun, deed] = event.type.split('.')
  return `${oneLine(event.actor.name ?? event.actor.kind, 60)} ${deed} ${noun} ${name}${title}`
}

/** How many runs a digest names. */
const mostNamed = 5

const verbs: Record<News['kind'], [one: string, several: string]> = {
  waiting: ['waits', 'wait'],
  failing: ['fails its checks', 'fail their checks'],
  failed: ['failed', 'failed'],
  vanished: ['vanished', 'vanished'],
  idle: ['is idle', 'are idle'],
  completed: ['completed', 'completed'],
}

/** Several events in a sentence, the most urgent first: `4 runs: 1 waits (RUN-7 for Edit), 3 completed`. */
function digestOf(events: readonly EventWithNews[], naming: MessageNaming): string {
  const runs = events.filter(({ news }) => news)
  let named = 0
  const parts = newsKinds.flatMap((kind) => {
    const some = runs.filter(({ news }) => news?.kind === kind)
    if (some.length === 0) return []
    const shown = kind === 'completed' ? [] : some.slice(0, mostNamed - named)
    named += shown.length
    const names = shown.map((one) => nameIn(one, naming))
    if (kind !== 'completed' && shown.length < some.length) names.push(`${some.length - shown.length} more`)
    const verb = verbs[kind][some.length === 1 ? 0 : 1]
    return `${some.length} ${verb}${names.length > 0 ? ` (${names.join(', ')})` : ''}`
  })
  const others = events.length - runs.length
  if (others > 0) parts.push(counted(others, runs.length > 0 ? 'other change' : 'change'))
  return runs.length > 0 ? `${counted(runs.length, 'run')}: ${parts.join(', ')}` : parts.join(', ')
}

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`

function nameIn({ event, news }: EventWithNews, naming: MessageNaming): string {
  const name = nameOf(event, naming)
  const detail = news?.detail && oneLine(news.detail, 60)
  if (!detail || news.kind === 'idle') return name
  return news.kind === 'waiting' ? `${name} for ${detail}` : `${name}: ${detail}`
}
