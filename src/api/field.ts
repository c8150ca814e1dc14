import { z } from 'zod'
import { humanIdPattern } from '../ledger/id.ts'
import { fits } from '../ledger/text.ts'

/** Text of `min` to `max` UTF-8 bytes; a `max` of Infinity leaves the limit to the operation. NUL and lone surrogates are refused: PostgreSQL cannot store the one, and UTF-8 cannot carry the other. */
export function text(max: number, min = 0) {
  return z
    .string()
    .refine((value) => value.length >= min, { error: 'must not be empty', abort: true })
    .refine((value) => fits(value, max), { error: ({ input }) => tooLong(max, input as string), abort: true })
    .refine((value) => !value.includes('\0') && value.isWellFormed(), 'has a NUL character or half a surrogate pair')
    .meta({ ...(max < Number.POSITIVE_INFINITY && { maxLength: max }), ...(min > 0 && { minLength: min }) })
}

const tooLong = (max: number, value: string) =>
  `must have at most ${max.toLocaleString('en')} bytes, not ${Buffer.byteLength(value).toLocaleString('en')}`

/** An id that people choose and read: `RUN-001`, `AUTH-001`, a project's slug. */
export const humanId = z
  .string()
  .regex(humanIdPattern, 'must be 1 to 128 of A-Z a-z 0-9 . _ : - and begin with a letter or digit')

/** A row's own number: given once, never again. */
export const rowId = z.int().min(1)

/** A moment in an answer: ISO 8601, UTC, milliseconds. */
export const time = z.string().meta({ format: 'date-time', examples: ['2026-01-31T09:30:00.000Z'] })

/** A moment in an input: any ISO 8601 date-time with a zone, brought to the form of `time`. */
export const timeInput = z.iso
  .datetime({ offset: true, error: 'must be an ISO 8601 date-time with a zone, like 2026-01-31T09:30:00.000Z' })
  .transform((value) => new Date(value).toISOString())

/** `If-Match` (RFC 9110 §13.1.1): a list of ETags or `*`. */
export const ifVersion = z.string().max(1000).optional().describe('ETags of the versions that may be changed, or *')

/** How a command ended: a POSIX exit code, or one of Windows, which has 32 bits. */
export const exitCode = z.int().min(-2_147_483_648).max(4_294_967_295)

/** The person for whom work is done, as git writes one. */
export const author = text(200, 1).describe('The person for whom the work is done: "Ada Example <ada@example.com>"')

/** How a content is to be read. */
export const contentType = z
  .enum(['text/markdown', 'text/x-terminal'])
  .describe('text/x-terminal: what a terminal received, colours included')

/** `createdAt` where something is created: an import says when it happened. */
export const importedAt = timeInput.optional().describe('For imports, with an admin key: when it was created')

/** Who did something, by name: events give their keys' numbers too. */
export const actor = z
  .object({
    kind: z.enum(['key', 'person', 'local', 'system', 'import']).describe('local: somebody at the database itself'),
    name: z.string().nullable(),
  })
  .meta({ id: 'Actor' })
export type ActorName = z.infer<typeof actor>
