import type { Client, ConductError } from '../../client/client.ts'
import type { Manner } from '../../terminal/option.ts'
import { clean, jsonOf, line } from '../../terminal/text.ts'
import { type Column, type Row, tables } from '../show/columns.ts'
import { shown } from '../show/print.ts'

/** Prints one line for each change as it happens, until Ctrl-C (exit code 130). Says once when the server is away. */
export async function followEvents(client: Client, input: Record<string, unknown>, manner: Manner) {
  const end = new AbortController()
  process.once('SIGINT', () => end.abort())
  const { limit: _, ...from } = input
  const onRetry = ({ message }: ConductError, failed: number) => {
    // A server that restarts is back at the next try.
    if (failed === 2) process.stderr.write(`conduct: ${clean(message)} Trying again until it responds.\n`)
  }
  try {
    for await (const event of client.follow(from, { signal: end.signal, onRetry })) {
      process.stdout.write(`${manner.json ? jsonOf(event) : manner.quiet ? event.seq : eventLine(event)}\n`)
    }
  } catch (error) {
    if (!end.signal.aborted) throw error
    process.exitCode = 130
  }
}

/** The cells of an event. Times are exact, because a printed line does not age. */
function eventLine(event: Row): string {
  const columns = tables.events?.columns as Column[]
  return columns
    .map(({ of }) => (typeof of === 'function' ? line(of(event)) : shown(event[of], true)))
    .filter(Boolean)
    .join('  ')
}
