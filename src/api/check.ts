import { z } from 'zod'
import { actor, contentType, exitCode, rowId, text, time } from './field.ts'
import { dirty, tree } from './work.ts'

export const checkResult = z.enum(['pass', 'fail', 'warn'])
export type CheckResult = z.infer<typeof checkResult>

export const checkName = text(200, 1)

export const checkFields = {
  content: text(Number.POSITIVE_INFINITY).optional().describe('What was found'),
  contentType: contentType.optional(),
  command: text(4000, 1).nullable().optional().describe('The command that ran'),
  exitCode: exitCode.nullable().optional(),
  durationMs: z.int().min(0).max(1e12).nullable().optional(),
  commit: text(64, 1).nullable().optional().describe('The commit when the command ended'),
  tree: tree.nullable().optional(),
  dirty: dirty.nullable().optional(),
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
    commit: z.string().nullable(),
    tree: z.string().nullable(),
    dirty: z.boolean().nullable(),
    agent: z.string().nullable(),
    createdAt: time,
    updatedAt: time,
    createdBy: actor,
    updatedBy: actor,
    version: z.int(),
    counts: z.boolean().describe('Whether the verdict of the run depends on it: no newer check has replaced it'),
    current: z.boolean().describe('Whether it applies to the current work of the run'),
    erasedAt: time.optional().describe('When texts of it were erased; missing if none were'),
  })
  .meta({ id: 'Check' })
export type Check = z.infer<typeof check>

export const fullCheck = z.object({ ...check.shape, content: z.string() }).meta({ id: 'FullCheck' })
