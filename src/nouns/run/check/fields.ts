import { z } from 'zod'
import { actor, contentType, exitCode, rowId, text, time } from '../../../contract/field.ts'
import { evidences } from '../verdict/evidence.ts'
import { dirty, objectId, tree } from '../work-fields.ts'

export const checkResult = z.enum(['pass', 'fail', 'warn'])
export type CheckResult = z.infer<typeof checkResult>

export const checkName = text(200, 1)

export const evidence = z
  .enum(evidences)
  .describe(
    'self: the author of the run says so. executed: a recorder of the run saw the command end. independent: recorded under a key that neither created the run nor wrote to it, and whose person did not either',
  )

export const recorder = z.enum(['hook', 'exec']).describe('The recorder of the run that saw the command end')

export const pipeline = z
  .strictObject({
    id: text(200, 1).describe('One run of the pipeline'),
    job: text(200, 1),
    attempt: z.int().min(1).max(1_000_000).optional(),
  })
  .describe('Where it ran. One job of a pipeline never clears the failure of another')

export const checkFields = {
  content: text(Number.POSITIVE_INFINITY).optional().describe('What was found'),
  contentType: contentType.optional(),
  command: text(4000, 1).nullable().optional().describe('The command that ran'),
  exitCode: exitCode.nullable().optional(),
  durationMs: z.int().min(0).max(1e12).nullable().optional(),
  commit: text(64, 1).nullable().optional().describe('The commit when the command ended'),
  startTree: objectId
    .nullable()
    .optional()
    .describe(
      'The tree when the command began. Without `tree`, files changed while it ran; a different `tree` means that it left files that are not work',
    ),
  tree: tree.nullable().optional(),
  commitTree: objectId.nullable().optional().describe('The tree of the commit'),
  dirty: dirty.nullable().optional(),
  pipeline: pipeline.nullable().optional(),
  agent: text(200, 1).nullable().optional(),
}

const fieldsSchema = z.object({ ...checkFields, result: checkResult })
export type CheckFields = z.infer<typeof fieldsSchema>

/** A check as lists show it. */
export const check = z
  .object({
    id: rowId,
    project: z.string(),
    checkId: z.string(),
    runId: z.string(),
    name: z.string(),
    result: checkResult,
    command: z.string().nullable(),
    exitCode: z.int().nullable(),
    durationMs: z.int().nullable(),
    contentType,
    evidence,
    recorder: recorder.nullable(),
    commit: z.string().nullable(),
    startTree: z.string().nullable(),
    tree: z.string().nullable(),
    commitTree: z.string().nullable(),
    dirty: z.boolean().nullable(),
    pipeline: pipeline.nullable(),
    agent: z.string().nullable(),
    linkedTo: z
      .string()
      .nullable()
      .describe('The first of the checks that one call recorded for several runs; null for a check alone'),
    createdAt: time,
    updatedAt: time,
    createdBy: actor,
    updatedBy: actor,
    version: z.int(),
    counts: z.boolean().describe('Whether no other check has taken its place'),
    replacedBy: z.string().nullable().describe('The check that took its place'),
    current: z.boolean().describe('Whether it applies to the current work of the run'),
    erasedAt: time.optional().describe('When texts of it were erased; missing if none were'),
  })
  .meta({ id: 'Check' })
export type Check = z.infer<typeof check>

export const fullCheck = z.object({ ...check.shape, content: z.string() }).meta({ id: 'FullCheck' })
