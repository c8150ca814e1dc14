import { useEffect, useRef, useState } from 'preact/hooks'
import type { ConductError } from '../../../client/client.ts'
import type { Event } from '../../../log/fields.ts'
import type { TimelineEntry } from '../../../nouns/run/timeline-fields.ts'
import type { Turn } from '../../../nouns/run/turn-fields.ts'
import { listen, type StreamNews } from '../log/stream.ts'
import { failureOf, isAway } from '../query/read.ts'
import { clientOf } from '../query/server.ts'
import { oneAtATime } from '../query/timing.ts'
import {
  entriesOf,
  entryOf,
  type History,
  historyOf,
  joined,
  meaningOf,
  type TurnEntry,
  withAppend,
} from './history.ts'
import { newTurns } from './turns.ts'

export interface RunHistory extends ShownHistory {
  /** Fetches some of the missing turns. */
  earlier(): void
  reload(): void
}

/** The history of a run as it goes on. */
export function useHistory(project: string, runId: string): RunHistory {
  const [shown, setShown] = useState<ShownHistory>({ entries: [], missing: 0, isRead: false })
  const reader = useRef<HistoryReader>(undefined)
  useEffect(() => {
    const end = new AbortController()
    const set = (next: ShownHistory) => end.signal.aborted || setShown(next)
    const made = new HistoryReader(project, runId, set, end.signal)
    reader.current = made
    made.readOn()
    const leave = listen((news) => made.hear(news))
    return () => {
      end.abort()
      leave()
    }
  }, [project, runId])
  return { ...shown, earlier: () => reader.current?.readEarlier(), reload: () => reader.current?.reload() }
}

const pageSize = 100
const drawMs = 200
const restMs = 1000

interface ShownHistory {
  /** Oldest first. */
  entries: TimelineEntry[]
  /** How many turns came before the first of these turns. */
  missing: number
  isRead: boolean
  error?: ConductError | undefined
}

/**
 * Reads the history of a run, and follows it. Of new turns only these are read, and appends are only counted. After any
 * other change, which is rare, everything is read again.
 */
class HistoryReader {
  private history: History = { others: [], turns: [] }
  private isRead = false
  private error: ConductError | undefined
  /** Whether everything must be read again. */
  private isDue = true
  /** The appends that happen while everything is read, which may not contain them. */
  private heard: Event[] | undefined
  /** The turns of the run, newest first, as far as they were walked to find earlier ones. */
  private walk: AsyncGenerator<Turn, void> | undefined
  private readonly project: string
  private readonly runId: string
  private readonly signal: AbortSignal
  private readonly draw: () => void
  /** Reads what is new. */
  readonly readOn: () => void
  /** Reads some of the turns that are missing. */
  readonly readEarlier: () => void

  constructor(project: string, runId: string, set: (shown: ShownHistory) => void, signal: AbortSignal) {
    this.project = project
    this.runId = runId
    this.signal = signal
    this.draw = oneAtATime(async () => set(this.shown()), drawMs).soon
    this.readOn = oneAtATime(() => this.attempt(() => (this.isDue ? this.all() : this.newer())), restMs).soon
    this.readEarlier = oneAtATime(() => this.attempt(() => this.earlier()), 0).soon
  }

  reload(): void {
    this.isDue = true
    this.readOn()
  }

  hear(news: StreamNews): void {
    if (news.kind === 'erased') {
      this.history = { others: [], turns: [] }
      this.walk = undefined
    }
    if (news.kind === 'connected' || news.kind === 'erased') this.reload()
    if (news.kind !== 'event') return
    const meaning = meaningOf(news.event, this.project, this.runId, this.history.others)
    if (meaning === 'other') this.reload()
    if (meaning === 'turn') this.readOn()
    if (meaning !== 'append') return
    this.heard?.push(news.event)
    this.count(news.event)
    this.draw()
  }

  private shown(): ShownHistory {
    const { history, isRead, error } = this
    return { entries: entriesOf(history), missing: this.first() - 1, isRead, error }
  }

  /** The number of the first known turn. */
  private first(): number {
    return this.history.turns[0]?.turn.n ?? 1
  }

  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
      this.error = undefined
    } catch (error) {
      this.isDue = true
      this.walk = undefined
      const failure = failureOf(error)
      if (!this.isRead || !isAway(failure)) this.error = failure
    }
    this.draw()
  }

  private async all(): Promise<void> {
    this.isDue = false
    this.heard = []
    const { timeline } = await clientOf(this.project).timeline({ runId: this.runId }, { signal: this.signal })
    const before = this.first()
    this.history = historyOf(timeline, this.history.turns)
    if (this.first() !== before) this.walk = undefined
    for (const event of this.heard) this.count(event)
    this.heard = undefined
    this.isRead = true
  }

  private count(event: Event): void {
    this.history = { ...this.history, others: withAppend(this.history.others, event) }
  }

  private async newer(): Promise<void> {
    const known = this.history.turns.at(-1)?.turn.n ?? 0
    const read: TurnEntry[] = []
    for await (const turn of newTurns(this.project, this.runId, known, this.signal)) read.push(entryOf(turn))
    this.add(read)
  }

  private async earlier(): Promise<void> {
    const input = { runId: this.runId, order: 'desc', limit: pageSize } as const
    this.walk ??= clientOf(this.project).all('listTurns', input, { signal: this.signal })
    const { walk } = this
    const page = await pageBefore(this.first(), walk)
    // Texts that were erased meanwhile must not come back.
    if (walk === this.walk) this.add(page)
  }

  private add(turns: TurnEntry[]): void {
    this.history = { ...this.history, turns: joined(this.history.turns, turns) }
  }
}

/** The next turns of a walk backwards that are before turn `n`, in the order of their numbers. */
async function pageBefore(n: number, walk: AsyncGenerator<Turn, void>): Promise<TurnEntry[]> {
  const page: TurnEntry[] = []
  while (page.length < pageSize) {
    const { value: turn } = await walk.next()
    if (!turn) break
    if (turn.n < n) page.unshift(entryOf(turn))
  }
  return page
}
