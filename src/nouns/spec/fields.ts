import { z } from 'zod'
import { actor, rowId, text, time } from '../../contract/field.ts'
import { counts } from '../run/fields.ts'
import { statuses, verdicts } from '../run/state.ts'
import { used } from '../run/stats-fields.ts'

export const specStatus = z.enum(['draft', 'pending', 'in_progress', 'completed', 'archived'])

export const specFields = {
  title: text(300, 1).nullable().optional().describe('Default: the first heading or line of the content'),
  content: text(Number.POSITIVE_INFINITY)
    .optional()
    .describe('Markdown; its `- [ ]` and `- [x]` items are the checklist'),
  status: specStatus.optional(),
  agent: text(200, 1).nullable().optional().describe('Who wrote it'),
}

const fieldsSchema = z.object(specFields)
export type SpecFields = z.infer<typeof fieldsSchema>

const checklist = z.object({ total: z.int(), done: z.int() }).meta({ id: 'Checklist' })

/** A spec as lists show it. */
export const spec = z
  .object({
    id: rowId,
    project: z.string(),
    specId: z.string(),
    title: z.string().nullable(),
    status: specStatus,
    agent: z.string().nullable(),
    checklist,
    createdAt: time,
    updatedAt: time,
    createdBy: actor,
    updatedBy: actor,
    version: z.int(),
    erasedAt: time.optional().describe('When texts of it were erased; missing if none were'),
  })
  .meta({ id: 'Spec' })
export type Spec = z.infer<typeof spec>

/** The totals of a spec's runs. */
export const totals = z
  .object({
    runs: z.int(),
    byStatus: counts(statuses),
    byVerdict: counts(verdicts),
    attempts: z.int().describe('Runs that retry another'),
    ...used,
  })
  .meta({ id: 'SpecTotals' })
export type Totals = z.infer<typeof totals>

/** A spec as getSpec returns it. */
export const fullSpec = z.object({ ...spec.shape, content: z.string(), totals }).meta({ id: 'FullSpec' })

/** A version of a spec's text, earlier or current. */
export const specVersion = z
  .object({ version: z.int(), title: z.string().nullable(), createdAt: time })
  .meta({ id: 'SpecVersion' })
export const fullSpecVersion = z.object({ ...specVersion.shape, content: z.string() }).meta({ id: 'FullSpecVersion' })
