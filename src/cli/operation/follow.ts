import type { Client } from '../../client/client.ts'
import type { Manner } from '../option.ts'
import { type Column, type Row, tables } from '../show/columns.ts'
import { shown } from '../show/print.ts'
import { jsonOf, line } from '../show/text.ts'

/** Prints each change as it happens, a line for each, until Ctrl-C (exit code 130). */
export async function followEvents(client: Client, input: Record<string, unknown>, manner: Manner) {
  const end = new AbortController()
  process.once('SIGINT', () => end.abort())
  const { limit: _, ...from } = input
  try {
    for await (const event of client.follow(from, { signal: end.signal })) {
      process.stdout.write(`${manner.json ? jsonOf(event) : manner.quiet ? event.seq : eventLine(event)}\n`)
    }
  } catch (error) {
    if (!end.signal.aborted) throw error
    process.exitCode = 130
  }
}

/** The cells of the table of events; with exact times, since a line stays while time goes on. */
function eventLine(event: Row): string {
  const columns = tables.events?.columns as Column[]
  return columns
    .map(({ of }) => (typeof of === 'function' ? line(of(event)) : shown(event[of], true)))
    .filter(Boolean)
    .join('  ')
}
