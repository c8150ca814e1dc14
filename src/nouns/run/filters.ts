import { z } from 'zod'
import { author, humanId, rowId, text, timeInput } from '../../contract/field.ts'
import { created } from '../../contract/route.ts'
import { runStatus, verdict } from './fields.ts'

/** The filters of a list of runs. */
export const runFilters = {
  specId: humanId.optional(),
  specVersion: z.int().min(1).optional(),
  status: z.array(runStatus).optional(),
  verdict: z.array(verdict).optional(),
  agent: text(200, 1).optional(),
  label: z
    .array(text(320).regex(/^[^:]+:/, 'must be name:value'))
    .max(32)
    .optional()
    .describe('name:value; repeated: runs with all of these labels'),
  featureId: rowId.optional(),
  author: author
    .optional()
    .describe('Its author, as the run says; with only an email address, every spelling of that person'),
  mine: z.boolean().optional().describe('Only runs whose author is the person of the calling key'),
  file: text(1000, 1)
    .optional()
    .describe("A file that its turns wrote, from the repository's root, or a folder above one, which ends in /"),
  commit: z
    .string()
    .regex(/^[0-9a-f]{7,64}$/, 'must be 7 to 64 of 0-9 a-f')
    .optional()
    .describe('A commit that the run made or ended on: its id, or at least its first 7 digits'),
  branch: text(255, 1).optional(),
  session: text(200, 1).optional(),
  model: text(100, 1).optional().describe('A model that it or one of its turns used'),
  href: text(2048, 1).optional().describe('The address of one of its links'),
  ...created,
  endedAfter: timeInput.optional(),
  endedBefore: timeInput.optional(),
  updatedAfter: timeInput.optional().describe('Only runs that last changed after this moment'),
  updatedBefore: timeInput.optional().describe('Only runs that last changed before this moment'),
}

export type RunFilters = { [Name in keyof typeof runFilters]?: z.output<(typeof runFilters)[Name]> }

/**
 * The filters for one value of a column, in the order of what is usually rarest. Each column has an index: project, column,
 * created_at, id.
 */
export const valueFilters = {
  session: 'session',
  branch: 'branch',
  author: 'author',
} as const satisfies Partial<Record<keyof RunFilters, string>>

/** The same for moments: filters after and before that of a column. */
export const momentFilters = [
  { column: 'ended_at', after: 'endedAfter', before: 'endedBefore' },
  { column: 'updated_at', after: 'updatedAfter', before: 'updatedBefore' },
] as const satisfies readonly { column: string; after: keyof RunFilters; before: keyof RunFilters }[]
