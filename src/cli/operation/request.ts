import { requestOf } from '../../client/request.ts'
import { masked } from '../../contract/secret.ts'
import { type Place, shownPlace } from '../../place/connect.ts'
import { keyOf } from '../../place/profile.ts'
import type { Common } from '../../terminal/option.ts'
import { jsonOf } from '../../terminal/text.ts'
import { printJson } from '../show/print.ts'
import type { Plan } from './plan.ts'

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
