import type { AnswerPlan } from '../answer.ts'

const header = (description: string, type = 'string') => ({ description, schema: { type } })

/** The response headers, as components. */
export const headers = {
  'X-Request-Id': header('Identifies the request in the log of the server'),
  'X-RateLimit-Limit': header('The requests per minute of the key', 'integer'),
  'X-RateLimit-Remaining': header('The requests left in this minute', 'integer'),
  'X-RateLimit-Reset': header('When the minute ends, in Unix seconds', 'integer'),
  'Retry-After': header('Seconds to wait before the same request may succeed', 'integer'),
  'WWW-Authenticate': header('Always Bearer'),
  ETag: header('The version of the resource, for If-Match'),
  Location: header('The address of the new resource'),
  Link: header('The next page, with rel="next"'),
  'Idempotent-Replayed': header('true: the response to an earlier request with the same Idempotency-Key'),
}

export type Header = keyof typeof headers

const always: Header[] = ['X-Request-Id']
const limits: Header[] = ['X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset']

/** References to the headers of a successful response. */
export function headersOf(plan: Partial<AnswerPlan>, is: { keyed: boolean; replayed: boolean; page: boolean }) {
  return references([
    ...always,
    ...(is.keyed ? limits : []),
    ...(plan.resource ? (['ETag'] as const) : []),
    ...(plan.location ? (['Location'] as const) : []),
    ...(is.page ? (['Link'] as const) : []),
    ...(is.replayed ? (['Idempotent-Replayed'] as const) : []),
  ])
}

/** References to the headers of a failure with that status. */
export const failureHeadersOf = (status: number) =>
  references([
    ...always,
    ...(status === 401 ? (['WWW-Authenticate'] as const) : []),
    ...(status === 429 || status === 503 ? (['Retry-After'] as const) : []),
  ])

const references = (names: readonly Header[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))
