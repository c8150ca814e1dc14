import { parseAccept } from 'hono/utils/accept'
import { z } from 'zod'
import { ConductError } from '../contract/error.ts'
import { addressOf, type Name, names } from '../contract/paths.ts'
import { masked } from '../contract/secret.ts'
import type { StoredResponse } from '../frame/idempotency.ts'
import type { EventJson } from '../log/read.ts'
import { patchOf } from '../nouns/run/diff/text.ts'
import { csvOf, csvPlanOf } from '../operations/csv.ts'
import { type Output, type Route, routes } from '../operations/routes.ts'
import { Aborted } from './body.ts'

/** What an operation returns. */
export type OperationOutput = Record<string, unknown> & { created?: boolean; meta?: Meta }
type Meta = { hasMore?: boolean; nextCursor?: string; lastSeq?: number }
type Resource = Record<string, unknown> & { version: number }

/** How to turn the output of one operation into status, headers and body. */
export interface AnswerPlan {
  name: Name
  success: NonNullable<Route['success']>
  /** The output field with the versioned resource. */
  resource: string | undefined
  /** The address of what was created, and the output field that has its parameters. */
  location: { field: string; path: string; params: string[] } | undefined
}

export function answerPlanOf(name: Name): AnswerPlan {
  const route: Route = routes[name]
  const resource = Object.entries(route.output.shape).find(
    ([, schema]) =>
      schema instanceof z.ZodObject && 'version' in schema.shape && ('id' in schema.shape || 'slug' in schema.shape),
  )
  return { name, success: route.success ?? [200], resource: resource?.[0], location: locationOf(name, route.output) }
}

/** Undefined for an operation that creates nothing with an address of its own. */
function locationOf(name: Name, { shape }: Route['output']): AnswerPlan['location'] {
  const reader = names.find((other) => other === name.replace(/^(?:create|append)/, 'get') && other !== name)
  if (reader === undefined) return undefined
  const { path, params } = addressOf(reader)
  const made = Object.entries(shape).find(
    ([, schema]) => schema instanceof z.ZodObject && params.every((param) => param in schema.shape),
  )
  return made && { field: made[0], path, params }
}

/**
 * Builds the response to `url`: as a text, or a list as CSV, if `accept` prefers that. The Link header leads to the next
 * page.
 */
export function answerOf(
  plan: AnswerPlan,
  output: OperationOutput,
  base: string,
  url: string,
  accept?: string,
): StoredResponse {
  const headers: Record<string, string> = {}
  const resource = plan.resource ? (output[plan.resource] as Resource) : undefined
  const made = output.created !== false
  const status = made ? plan.success[0] : (plan.success[1] ?? 200)
  if (resource) headers.etag = `"${resource.id ?? resource.slug}-${resource.version}"`
  if (plan.location && made) {
    const { field, path, params } = plan.location
    const created = output[field] as Record<string, unknown>
    const address = (path: string, param: string) =>
      path.replace(`:${param}`, encodeURIComponent(String(created[param])))
    headers.location = base + params.reduce(address, path)
  }
  if (output.meta) Object.assign(headers, linkToNext(url, output.meta, linesIn(output)?.at(-1)?.event.id))
  const text = texts[plan.name]
  if (text?.isWanted(accept)) {
    const type = `${text.type}; charset=utf-8`
    // TypeScript cannot connect the output with the name of its operation.
    return { status, headers: { ...headers, 'content-type': type }, body: text.of(output as never) }
  }
  const csv = prefers(accept, 'text/csv') ? csvPlanOf(plan.name) : undefined
  if (!csv) return { status, headers, body: jsonOf(output) }
  const shown = { ...output, events: linesIn(output)?.map((line) => line.toJSON()) }
  return { status, headers: { ...headers, 'content-type': csvType }, body: csvOf(csv, shown) }
}

/** The same as `JSON.stringify`, which would parse each event and write it again: a third of the work of a list of events. */
function jsonOf(output: OperationOutput): string {
  const lines = linesIn(output)
  if (!lines) return JSON.stringify(output)
  const others = { ...output, events: undefined }
  return `{"events":[${lines.map(({ json }) => json).join(',')}],${JSON.stringify(others).slice(1)}`
}

/** The events of a page of the log. */
const linesIn = ({ events }: OperationOutput) => (Array.isArray(events) ? (events as EventJson[]) : undefined)

const isNotJson = (accept?: string) => !prefers(accept, 'application/json')

/** The operations that also answer with a text: its type, whether Accept wants it, and the text. */
const texts: { [N in Name]?: { type: string; isWanted(accept?: string): boolean; of(output: Output<N>): string } } = {
  getDiff: {
    type: 'text/x-diff',
    isWanted: (accept) => prefers(accept, 'text/x-diff'),
    of: ({ files }) => files.map((file) => patchOf(file)).join(''),
  },
  getCheckpoint: { type: 'text/plain', isWanted: isNotJson, of: ({ note }) => note },
  getProof: { type: 'text/plain', isWanted: isNotJson, of: ({ proof }) => proof },
}

const csvType = 'text/csv; charset=utf-8; header=present'

/** Whether the Accept header names a type, and JSON, if that is another one, only after it. Wildcards mean JSON. */
export function prefers(
  accept = '',
  wantedType: 'application/json' | 'text/csv' | 'text/plain' | 'text/x-diff',
): boolean {
  if (!accept.toLowerCase().includes(wantedType)) return false
  const wanted = parseAccept(accept).filter(({ q }) => q > 0)
  const types = wanted.map(({ type }) => type.toLowerCase())
  return types.find((type) => type === wantedType || type === 'application/json') === wantedType
}

/**
 * A Link header (RFC 8288) with the same URL, except for where it continues. Empty at the last page, and for lists
 * without pages. A page of the log names the id of its last event: unlike the seq, it shows if the log has lost the
 * event.
 */
function linkToNext(url: string, { hasMore, nextCursor, lastSeq }: Meta, lastEvent?: string): Record<string, string> {
  if (!hasMore || (nextCursor === undefined && lastSeq === undefined)) return {}
  const { pathname, searchParams } = new URL(url)
  if (nextCursor !== undefined) searchParams.set('cursor', nextCursor)
  else if (searchParams.get('order') === 'desc') searchParams.set('before', String(lastSeq))
  else searchParams.set('after', lastEvent ?? String(lastSeq))
  return { link: `<${pathname}?${searchParams}>; rel="next"` }
}

/** Nginx's status for a client that closed the connection early. Only metrics and the log see it. */
const clientGone = 499

/** Builds an error response. Anything but a ConductError is reported without details. */
export function failureOf(error: unknown, requestId: string): StoredResponse {
  if (error instanceof Aborted) return { status: clientGone, headers: { connection: 'close' }, body: '' }
  const failure =
    error instanceof ConductError
      ? error
      : new ConductError('INTERNAL_ERROR', 'Something went wrong inside Conduct. The server log has the details.')
  const headers: Record<string, string> = {}
  if (failure.code === 'UNAUTHORIZED') headers['www-authenticate'] = 'Bearer'
  if (failure.retryAfter !== undefined) headers['retry-after'] = String(failure.retryAfter)
  // The rest of the refused body need not be read.
  if (failure.code === 'PAYLOAD_TOO_LARGE') headers.connection = 'close'
  const { message, code, issues, firstSeq } = failure
  const body = {
    error: message,
    code,
    requestId,
    ...(issues && { issues }),
    ...(firstSeq !== undefined && { firstSeq }),
  }
  // The message quotes the wrong value, which may be a key sent in the wrong place.
  return { status: failure.status, headers, body: masked(JSON.stringify(body)) }
}
