import type { LogPosition } from '../../log/event-id.ts'
import type { EventJson } from '../../log/read.ts'

/** How many bytes of recent events to keep in memory for all readers. */
const keptBytes = 4_194_304

const encoder = new TextEncoder()
const newline = 10

/** An event and its message, which is encoded once for all readers. */
export interface RecentEvent extends Pick<EventJson, 'event' | 'projectId'> {
  message: Uint8Array
}

export const entryOf = ({ event, projectId, json }: EventJson): RecentEvent => ({
  event,
  projectId,
  message: encoder.encode(`id: ${event.seq}\ndata: ${json}\n\n`),
})

/** The message of an entry, for a reader whose place is the id of an event. */
export function messageById({ event, message }: RecentEvent): Uint8Array {
  const rest = message.subarray(message.indexOf(newline))
  return Buffer.concat([encoder.encode(`id: ${event.id}`), rest])
}

/** The newest events of the log, without gaps, in a bounded amount of memory. */
export class Recent {
  end = 0
  /** The id of the event at the end. */
  endId: string | undefined
  readonly #kept: RecentEvent[] = []
  #bytes = 0

  /** It has all events after this seq. */
  get start(): number {
    return this.#kept[0] ? this.#kept[0].event.seq - 1 : this.end
  }

  get place(): LogPosition {
    return { seq: this.end, id: this.endId }
  }

  /** Drops all events and continues after a place. */
  restart({ seq, id }: LogPosition): void {
    this.#kept.length = 0
    this.#bytes = 0
    this.end = seq
    this.endId = id
  }

  add(lines: readonly EventJson[]): void {
    for (const entry of lines.map(entryOf)) {
      this.#kept.push(entry)
      this.#bytes += entry.message.length
      this.end = entry.event.seq
      this.endId = entry.event.id
    }
    while (this.#bytes > keptBytes) this.#bytes -= this.#kept.shift()?.message.length ?? 0
  }

  /** The events after `at`, which is not before `start`. */
  after(at: number): RecentEvent[] {
    return this.#kept.slice(this.#kept.findLastIndex(({ event }) => event.seq <= at) + 1)
  }
}
