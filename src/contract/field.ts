import { z } from 'zod'
import { humanIdPattern } from './id.ts'
import { fits } from './text.ts'

/**
 * Text of `min` to `max` UTF-8 bytes. With a `max` of Infinity, the operation sets the limit. NUL and lone surrogates
 * are refused: PostgreSQL cannot store the former, and UTF-8 cannot encode the latter.
 */
export function text(max: number, min = 0) {
  return z
    .string()
    .refine((value) => value.length >= min || Buffer.byteLength(value) >= min, {
      error: ({ input }) => tooShort(min, input as string),
      abort: true,
    })
    .refine((value) => fits(value, max), { error: ({ input }) => tooLong(max, input as string), abort: true })
    .refine((value) => !value.includes('\0') && value.isWellFormed(), 'has a NUL character or half a surrogate pair')
    .meta({
      ...(max < Number.POSITIVE_INFINITY && { maxLength: max }),
      // JSON Schema counts characters, of which each has up to four bytes.
      ...(min > 0 && { minLength: Math.ceil(min / 4) }),
    })
}

const tooShort = (min: number, value: string) =>
  min === 1 ? 'must not be empty' : `must have at least ${min} bytes, not ${Buffer.byteLength(value)}`

const tooLong = (max: number, value: string) =>
  `must have at most ${max.toLocaleString('en')} bytes, not ${Buffer.byteLength(value).toLocaleString('en')}`

/** An id that people choose and read: `RUN-001`, `AUTH-001`, a project's slug. */
export const humanId = z
  .string()
  .regex(humanIdPattern, 'must be 1 to 128 of A-Z a-z 0-9 . _ : - and begin with a letter or digit')

/** The number of a row, which is never reused. */
export const rowId = z.int().min(1)

/** A time in a response: ISO 8601, UTC, milliseconds. */
export const time = z.string().meta({ format: 'date-time', examples: ['2026-01-31T09:30:00.000Z'] })

/** Words a time that cannot be read. In a query, the `+` of a zone means a blank. */
function noTime(input: string): string {
  const hint = / \d\d:\d\d$/.test(input) ? ' (in an address, write + as %2B)' : ''
  return `must be an ISO 8601 date-time with a zone, like 2026-01-31T09:30:00.000Z${hint}`
}

/**
 * A time in an input: any ISO 8601 date-time with a zone, normalised to the form of `time`. Times are compared as texts,
 * so their years in UTC have four digits.
 */
export const timeInput = z.iso
  .datetime({
    offset: true,
    abort: true,
    error: ({ input }) => noTime(String(input)),
  })
  .refine((value) => /^\d{4}-/.test(new Date(value).toISOString()), {
    error: 'must be in the years 0000 to 9999 of UTC',
    abort: true,
  })
  .transform((value) => new Date(value).toISOString())

/** In a call, a version may be a number. In a header, all is text. */
const versions: z.ZodType<string, string | number> = z.string().max(1000)

/** `If-Match`: a list of ETags or `*` (RFC 9110 §13.1.1), or the `version` of a response, which is no ETag. */
export const ifVersion = versions
  .optional()
  .describe('Change it only in this version: the `version` or the ETag of a response, a list of them, or *')

/** The exit code of a command: POSIX, or Windows with 32 bits. */
export const exitCode = z.int().min(-2_147_483_648).max(4_294_967_295)

/** The person for whom the work is done, in git's notation. */
export const author = text(200, 1).describe('The person for whom the work is done: "Ada Example <ada@example.com>"')

/** How to interpret a content. */
export const contentType = z
  .enum(['text/markdown', 'text/x-terminal'])
  .describe('text/x-terminal: what a terminal received, colours included')

/** The `createdAt` of something new: an import says when it happened. */
export const importedAt = timeInput.optional().describe('For imports, with an admin key: when it was created')

/** An actor by name. Events also have the number of the key. */
export const actor = z
  .object({
    kind: z.enum(['key', 'person', 'local', 'system', 'import']).describe('local: somebody at the database itself'),
    name: z.string().nullable(),
  })
  .meta({ id: 'Actor' })
export type ActorName = z.infer<typeof actor>

/** The `project` filter of lists. */
export const projectFilter = z
  .array(humanId)
  .max(100)
  .optional()
  .describe('Slugs of projects; default: all that the key can see')

export const order = z.enum(['asc', 'desc'])
export type Order = z.infer<typeof order>

/** The most rows of a page. */
export const mostRows = 100

/** The input fields of every list. */
export const pageInput = {
  limit: z.int().min(1).max(mostRows).default(20).describe('Rows per page'),
  cursor: z.string().max(200).optional().describe('nextCursor of the previous page'),
  order: order.default('desc').describe('asc: oldest first; desc: newest first'),
}

export interface PageInput {
  limit: number
  cursor?: string | undefined
  order: Order
}

export const pageMeta = z.object({
  hasMore: z.boolean(),
  nextCursor: z.string().optional(),
})
