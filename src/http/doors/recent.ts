import type { Event } from '../../api/event.ts'

/** How many bytes of the newest events are kept in memory for all readers. */
const keptBytes = 4_194_304

const encoder = new TextEncoder()

/** An event, and the message that carries it: made once, since a thousand may read it. */
export interface Told {
  event: Event
  message: Uint8Array
}

export const toldOf = (event: Event): Told => ({
  event,
  message: encoder.encode(`id: ${event.seq}\ndata: ${JSON.stringify(event)}\n\n`),
})

/** The newest events of the log up to `end`, without a gap, as many as there is room for. */
export class Recent {
  end = 0
  readonly #kept: Told[] = []
  #bytes = 0

  /** The place after which it has all events. */
  get start(): number {
    return this.#kept[0] ? this.#kept[0].event.seq - 1 : this.end
  }

  /** Forgets all, and goes on after the event with the seq `end`. */
  restart(end: number): void {
    this.#kept.length = 0
    this.#bytes = 0
    this.end = end
  }

  add(events: readonly Event[]): void {
    for (const told of events.map(toldOf)) {
      this.#kept.push(told)
      this.#bytes += told.message.length
      this.end = told.event.seq
    }
    while (this.#bytes > keptBytes) this.#bytes -= this.#kept.shift()?.message.length ?? 0
  }

  /** The events after `at`, which is not before `start`. */
  after(at: number): Told[] {
    return this.#kept.slice(this.#kept.findLastIndex(({ event }) => event.seq <= at) + 1)
  }
}
