import type { CallOptions, Client, ConductError } from '../../client/client.ts'
import { requestOf } from '../../client/request.ts'
import { masked } from '../../contract/secret.ts'
import type { Event } from '../../log/fields.ts'
import { type Place, shownPlace } from '../../place/connect.ts'
import { keyOf } from '../../place/profile.ts'
import type { Common, Manner } from '../../terminal/option.ts'
import { clean, jsonOf, line } from '../../text/clean.ts'
import type { ShownItem } from '../show/cells.ts'
import { type TableColumn, tables } from '../show/columns.ts'
import { printJson, shown } from '../show/print.ts'
import type { Plan } from './plan.ts'

/** Prints one line for each change as it happens, until Ctrl-C (exit code 130). */
export async function followEvents(client: Client, input: Record<string, unknown>, manner: Manner) {
  const { limit: _, ...from } = input
  await follow(client, from, (event) => {
    process.stdout.write(`${manner.json ? jsonOf(event) : manner.quiet ? event.seq : eventLine(event)}\n`)
  })
  process.exitCode = 130
}

/**
 * Does something with each event as it happens, until Ctrl-C. Says once when the server is away. Calls with the options
 * that `each` gets end with Ctrl-C, too.
 */
export async function follow(
  client: Client,
  input: Following,
  each: (event: Event, options: CallOptions) => unknown,
): Promise<void> {
  const end = new AbortController()
  process.once('SIGINT', () => end.abort())
  const onRetry = ({ message }: ConductError, failed: number) => {
    // A server that restarts is back at the next try.
    if (failed === 2) process.stderr.write(`conduct: ${clean(message)} Trying again until it responds.\n`)
  }
  const options = { signal: end.signal, onRetry }
  try {
    for await (const event of client.follow(input, options)) await each(event, options)
  } catch (error) {
    if (!end.signal.aborted) throw error
  }
}

type Following = Parameters<Client['follow']>[0]

/** The cells of an event. Times are exact, because a printed line does not age. */
function eventLine(event: ShownItem): string {
  const columns = tables.events?.columns as TableColumn[]
  return columns
    .map(({ of }) => (typeof of === 'function' ? line(of(event)) : shown(event[of], true)))
    .filter(Boolean)
    .join('  ')
}

/** Prints the request of an operation without the key. Sends nothing. */
export function printRequest(
  { name }: Plan,
  input: Record<string, unknown>,
  place: Place,
  { json, idempotencyKey }: Common & { idempotencyKey?: string },
) {
  const options =
    place.kind === 'server'
      ? { url: place.url, project: place.project, key: keyOf(place.profile, process.env) }
      : { url: '', project: place.project }
  const { url, init } = requestOf(options, name, input, idempotencyKey)
  const { method, headers, body } = init as { method: string; headers: Record<string, string>; body?: string }
  const shown = Object.fromEntries(Object.entries(headers).map(([header, value]) => [header, masked(value)]))
  const parsed: unknown = body === undefined ? undefined : JSON.parse(body)
  if (json) {
    printJson({ method, url, headers: shown, body: parsed })
    return
  }
  const lines = [`${method} ${url}`, ...Object.entries(shown).map(([header, value]) => `${header}: ${value}`)]
  if (parsed !== undefined) lines.push('', jsonOf(parsed, 2))
  process.stdout.write(`${lines.join('\n')}\n`)
  process.stderr.write(`Not sent to ${shownPlace(place)}.\n`)
}
