import { z } from 'zod'
import { humanId, ifVersion, importedAt, pageInput, pageMeta, projectFilter } from '../../../contract/field.ts'
import type { Name } from '../../../contract/paths.ts'
import { created, done, type OperationRoute } from '../../../contract/route.ts'
import { leaseToken } from '../lease-fields.ts'
import { check, checkInput, checkName, checkResult, fullCheck, recorder } from './fields.ts'

/** Some runs. In an address, one id is a list of one. */
const runIds: z.ZodType<string[], string | string[]> = z.array(humanId).max(100)

const checkAnswer = z.object({ check })
const checksAnswer = checkAnswer.extend({
  checks: z.array(check).describe('The check of each run that it went to; the first is `check`'),
})

export const checkRoutes = {
  createCheck: {
    summary: 'Record a check of a run; the verdict of the run follows',
    permission: 'agent',
    input: z.strictObject({
      checkId: humanId.optional().describe('Default: the next CHECK-<n> of the project'),
      runId: humanId
        .optional()
        .describe(
          'Default, at most 100 runs: every run that made `commit`, which is then a full id, else each that ended on it, began elsewhere and changed something; each whose uncommitted work it has; and if no run is of the first two kinds, each that changed something and whose commit has the same tree',
        ),
      name: checkName.default('check').describe('A failure counts until a pass of the same name clears it'),
      result: checkResult,
      ...checkInput,
      recorder: recorder
        .optional()
        .describe('For the recorder of the run, with its Lease-Token: it saw the command end'),
      leaseToken: leaseToken.describe('With recorder: the token that the recorder received when it created the run'),
      createdAt: importedAt,
    }),
    output: checksAnswer,
    success: [201],
    example: { runId: 'RUN-001', name: 'tests', result: 'pass', command: 'npm test', exitCode: 0, durationMs: 41_000 },
  },
  listChecks: {
    summary: 'List checks',
    permission: 'read',
    input: z.strictObject({
      project: projectFilter,
      runId: runIds.optional(),
      name: checkName.optional(),
      result: z.array(checkResult).optional(),
      ...created,
      ...pageInput,
    }),
    output: z.object({ checks: z.array(check), meta: pageMeta }),
    example: { runId: ['RUN-001'] },
  },
  getCheck: {
    summary: 'Read a check with its content',
    permission: 'read',
    input: z.strictObject({ checkId: humanId }),
    output: z.object({ check: fullCheck }),
    example: { checkId: 'CHECK-001' },
  },
  updateCheck: {
    summary: 'Change fields of a check; only the key that created it can, and nobody what a recorder saw',
    permission: 'agent',
    input: z.strictObject({ checkId: humanId, result: checkResult.optional(), ...checkInput, ifVersion }),
    output: checkAnswer,
    example: { checkId: 'CHECK-001', content: '212 tests pass.' },
  },
  deleteCheck: {
    summary: 'Delete a check; the verdict of the run follows',
    permission: 'delete',
    input: z.strictObject({ checkId: humanId, ifVersion }),
    output: done,
    example: { checkId: 'CHECK-001' },
  },
} as const satisfies { [N in Name]?: OperationRoute }

export type CheckRoutes = typeof checkRoutes
