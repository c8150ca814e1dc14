import { z } from 'zod'
import { rowId, text, time } from './field.ts'
import type { Run } from './run.ts'

export const checkResult = z.enum(['pass', 'fail', 'warn'])
export type CheckResult = z.infer<typeof checkResult>

export const checkName = text(200, 1)

export const checkFields = {
  content: text(Number.POSITIVE_INFINITY).optional().describe('What was found, as markdown'),
  command: text(4000, 1).nullable().optional().describe('What was run'),
  exitCode: z.int().min(-2_147_483_648).max(4_294_967_295).nullable().optional(),
  durationMs: z.int().min(0).max(1e12).nullable().optional(),
  commit: text(64, 1).nullable().optional(),
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
    commit: z.string().nullable(),
    agent: z.string().nullable(),
    createdAt: time,
    updatedAt: time,
    version: z.int(),
  })
  .meta({ id: 'Check' })
export type Check = z.infer<typeof check>

export const fullCheck = z.object({ ...check.shape, content: z.string() }).meta({ id: 'FullCheck' })

/** What a verdict needs to know of the newest check of each name. */
export interface Counted {
  result: CheckResult
  /** The run's work that it judged. */
  workVersion: number
  /** Whether it carries a command and an exit code. */
  executed: boolean
  /** Whether the key that set its result neither made the run nor changed its work. */
  independent: boolean
}

/** The verdict that the newest checks of each name give on a run whose work has that version, and how well they support it. */
export function verdictOf(checks: Counted[], workVersion: number): Pick<Run, 'verdict' | 'evidence'> {
  if (checks.length === 0) return { verdict: 'unchecked', evidence: null }
  const some = (result: CheckResult) => checks.some((check) => check.result === result)
  const isStale = checks.some((check) => check.workVersion < workVersion)
  const verdict = some('fail') ? 'failing' : some('warn') ? 'warned' : isStale ? 'stale' : 'verified'
  const strengths = checks.map(({ independent, executed }) => (independent ? 2 : executed ? 1 : 0))
  return { verdict, evidence: (['self', 'executed', 'independent'] as const)[Math.min(...strengths) as 0 | 1 | 2] }
}
