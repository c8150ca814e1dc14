import { z } from 'zod'
import { check, checkFields, checkName, checkResult, fullCheck } from '../check.ts'
import { humanId, ifVersion, importedAt } from '../field.ts'
import { pageInput, pageMeta } from '../page.ts'
import type { Name } from '../paths.ts'
import { projectFilter } from '../project.ts'
import { created, done, type Route } from './route.ts'

const checkAnswer = z.object({ check })

export const checkRoutes = {
  createCheck: {
    summary: 'Record a check of a run; the verdict of the run follows',
    permission: 'agent',
    input: z.strictObject({
      checkId: humanId.optional().describe('Default: the next CHECK-<n> of the project'),
      runId: humanId
        .optional()
        .describe('Default: the newest run that made or ended on `commit`, which is then a full id'),
      name: checkName
        .default('check')
        .describe('The newest check of each name by each key counts, unless a later independent one replaced it'),
      result: checkResult,
      ...checkFields,
      createdAt: importedAt,
    }),
    output: checkAnswer,
    success: [201],
    example: { runId: 'RUN-001', name: 'tests', result: 'pass', command: 'npm test', exitCode: 0, durationMs: 41_000 },
  },
  listChecks: {
    summary: 'List checks',
    permission: 'read',
    input: z.strictObject({
      project: projectFilter,
      runId: humanId.optional(),
      name: checkName.optional(),
      result: z.array(checkResult).optional(),
      ...created,
      ...pageInput,
    }),
    output: z.object({ checks: z.array(check), meta: pageMeta }),
    success: [200],
    example: { runId: 'RUN-001' },
  },
  getCheck: {
    summary: 'Read a check with its content',
    permission: 'read',
    input: z.strictObject({ checkId: humanId }),
    output: z.object({ check: fullCheck }),
    success: [200],
    example: { checkId: 'CHECK-001' },
  },
  updateCheck: {
    summary: 'Change fields of a check; only the key that created it can change the result',
    permission: 'write',
    input: z.strictObject({ checkId: humanId, result: checkResult.optional(), ...checkFields, ifVersion }),
    output: checkAnswer,
    success: [200],
    example: { checkId: 'CHECK-001', content: '212 tests pass.' },
  },
  deleteCheck: {
    summary: 'Delete a check; the verdict of the run follows',
    permission: 'delete',
    input: z.strictObject({ checkId: humanId, ifVersion }),
    output: done,
    success: [200],
    example: { checkId: 'CHECK-001' },
  },
} as const satisfies { [N in Name]?: Route }
