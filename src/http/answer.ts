import { z } from 'zod'
import { ConductError } from '../api/error.ts'
import { addressOf, type Name, names } from '../api/paths.ts'
import { type Route, routes } from '../api/routes.ts'
import { masked } from '../ledger/secret.ts'
import type { Kept } from '../store/idempotency.ts'
import { Aborted } from './body.ts'

/** What an operation returns. */
export type Output = Record<string, unknown> & { created?: boolean; meta?: { nextCursor?: string } }
type Resource = Record<string, unknown> & { version: number }

/** How to turn the output of one operation into status, headers and body. */
export interface AnswerPlan {
  success: Route['success']
  /** The output field with the versioned resource. */
  resource: string | undefined
  /** The address of the created resource. */
  location: { path: string; params: string[] } | undefined
}

export function answerPlanOf(name: Name): AnswerPlan {
  const route: Route = routes[name]
  const resource = Object.entries(route.output.shape).find(
    ([, schema]) =>
      schema instanceof z.ZodObject && 'version' in schema.shape && ('id' in schema.shape || 'slug' in schema.shape),
  )
  const reader = names.find((other) => other === name.replace(/^create/, 'get') && other !== name)
  return {
    success: route.success,
    resource: resource?.[0],
    location: resource && reader && addressOf(reader),
  }
}

/** Builds the response to `url`. The Link header of a page repeats that URL with the next cursor. */
export function answerOf(plan: AnswerPlan, output: Output, base: string, url: string): Kept {
  const headers: Record<string, string> = {}
  const resource = plan.resource ? (output[plan.resource] as Resource) : undefined
  const made = output.created !== false
  const status = made ? plan.success[0] : (plan.success[1] ?? 200)
  if (resource) headers.etag = `"${resource.id ?? resource.slug}-${resource.version}"`
  if (resource && plan.location && made) {
    const path = plan.location.params.reduce(
      (path, param) => path.replace(`:${param}`, encodeURIComponent(String(resource[param]))),
      plan.location.path,
    )
    headers.location = base + path
  }
  const next = output.meta?.nextCursor
  if (next !== undefined) headers.link = linkTo(url, next)
  return { status, headers, body: JSON.stringify(output) }
}

/** A Link header (RFC 8288) to the next page. */
function linkTo(url: string, cursor: string): string {
  const { pathname, searchParams } = new URL(url)
  searchParams.set('cursor', cursor)
  return `<${pathname}?${searchParams}>; rel="next"`
}

/** Nginx's status for a client that closed the connection early. Only metrics and the log see it. */
const clientGone = 499

/** Builds an error response. Anything but a ConductError is reported without details. */
export function failureOf(error: unknown, requestId: string): Kept {
  if (error instanceof Aborted) return { status: clientGone, headers: { connection: 'close' }, body: '' }
  const told =
    error instanceof ConductError
      ? error
      : new ConductError('INTERNAL_ERROR', 'Something went wrong inside Conduct. The server log has the details.')
  const headers: Record<string, string> = {}
  if (told.code === 'UNAUTHORIZED') headers['www-authenticate'] = 'Bearer'
  if (told.retryAfter !== undefined) headers['retry-after'] = String(told.retryAfter)
  // The rest of the refused body need not be read.
  if (told.code === 'PAYLOAD_TOO_LARGE') headers.connection = 'close'
  const body = { error: told.message, code: told.code, requestId, ...(told.issues && { issues: told.issues }) }
  // The message quotes the wrong value, which may be a key sent in the wrong place.
  return { status: told.status, headers, body: masked(JSON.stringify(body)) }
}
