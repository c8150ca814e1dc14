import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Event } from '../../src/log/fields.ts'
import {
  arrivedIn,
  atEnd,
  type EventWindow,
  mostEvents,
  nowhere,
  withNewer,
  withOlder,
} from '../../src/web/data/log/event-window.ts'
import { seed } from '../proof/size.ts'

const eventOf = (seq: number) => ({ seq }) as Event
/** The events from one seq to another, oldest first. */
const span = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, n) => eventOf(from + n))
const page = 100

/** Reads as the page does, from a log whose newest event is `last`. */
const reads = {
  end: (window: EventWindow, last: number) =>
    atEnd(window, span(Math.max(1, last - page + 1), last).reverse(), last > page, last),
  older: (window: EventWindow) => {
    const oldest = window.events.at(-1)?.seq
    const from = Math.max(1, (oldest ?? 1) - page)
    return withOlder(window, oldest, span(from, (oldest ?? 1) - 1).reverse(), from > 1)
  },
  newer: (window: EventWindow, last: number) => {
    const newest = window.events[0]?.seq
    const to = Math.min(last, (newest ?? 0) + page)
    return withNewer(window, newest, span((newest ?? 0) + 1, to), to < last ? Number.POSITIVE_INFINITY : last)
  },
}

const step = fc.oneof(
  fc.record({ act: fc.constant('arrive' as const), count: fc.integer({ min: 1, max: 700 }), isHeld: fc.boolean() }),
  fc.record({ act: fc.constantFrom('older' as const, 'newer' as const, 'end' as const) }),
)

test('a window over the log has no gap and a bounded size, and knows whether the log has more on each side', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let last = 250
      let window = reads.end(nowhere, last)
      for (const one of steps) {
        if (one.act === 'arrive') {
          const arrived = span(last + 1, last + one.count)
          last += one.count
          window = arrivedIn(window, arrived, one.isHeld)
        } else window = reads[one.act](window, last)
        const { events, hasOlder, hasNewer } = window
        const [newest = 0, oldest = 0] = [events[0]?.seq, events.at(-1)?.seq]
        assert.ok(events.length <= mostEvents)
        assert.deepEqual(
          events.map(({ seq }) => seq),
          span(oldest, newest)
            .reverse()
            .map(({ seq }) => seq),
        )
        assert.equal(hasOlder, oldest > 1)
        assert.equal(hasNewer, newest < last)
      }
    }),
    { seed, numRuns: 200 },
  )
})

test('a page for another position is ignored, and late events are merged in order', () => {
  const window = reads.end(nowhere, 250)
  assert.equal(withOlder(window, 7, [eventOf(6)], true), window)
  assert.equal(withNewer(window, 7, [eventOf(8)], 250), window)
  const gap = { ...window, events: [eventOf(253), ...window.events] }
  const filled = arrivedIn(gap, [eventOf(252), eventOf(251), eventOf(250), eventOf(3)], false)
  assert.deepEqual(
    filled.events.slice(0, 4).map(({ seq }) => seq),
    [253, 252, 251, 250],
  )
  assert.equal(arrivedIn(window, [eventOf(250)], true), window)
})

test('an event that arrives, and is read again after a reconnect, is one new change', () => {
  const read = reads.end(nowhere, 10)
  const held = arrivedIn(read, span(11, 13), true)
  const again = arrivedIn(arrivedIn(held, span(11, 14).reverse(), true), span(14, 15), true)
  assert.equal(again.fresh, 5)
  const whole = withNewer(again, 10, span(11, 15), 15)
  assert.deepEqual([whole.fresh, whole.hasNewer], [0, false])
})
