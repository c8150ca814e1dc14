import { z } from 'zod'
import { humanId, ifVersion, importedAt, pageInput, projectFilter, rowId } from '../../contract/field.ts'
import type { Name } from '../../contract/paths.ts'
import { done, type OperationRoute } from '../../contract/route.ts'
import { featureInput } from '../feature/fields.ts'
import { fullRun, required, runAnswer, runInput, runPage } from './fields.ts'
import { runFilters } from './filters.ts'
import { lease, leaseSeconds, leaseToken } from './lease-fields.ts'

const leasedAnswer = runAnswer.extend({
  lease: lease.optional().describe('If leaseSeconds granted or renewed one'),
})

/** For a run without trees, whose recorder cannot tell what changed. */
const touched = z
  .literal(true)
  .optional()
  .describe('The session may have written files: the checks of a run without trees no longer apply')

export const runRoutes = {
  createRun: {
    summary: 'Create a run',
    permission: 'agent',
    input: z.strictObject({
      runId: humanId.optional().describe('Default: the next RUN-<n> of the project'),
      ...runInput,
      required: required.optional(),
      retryOf: humanId.optional().describe('The runId of the run that this one retries'),
      leaseSeconds: leaseSeconds
        .optional()
        .describe('The run fails unless the holder renews the lease within this many seconds'),
      leaseToken,
      createdAt: importedAt,
    }),
    output: leasedAnswer,
    success: [201],
    example: {
      runId: 'RUN-001',
      specId: 'AUTH-001',
      content: '# Run Log\n\nImplemented features...',
      status: 'completed',
    },
  },
  listRuns: {
    summary: 'List runs',
    permission: 'read',
    input: z.strictObject({
      project: projectFilter,
      ...runFilters,
      ...pageInput,
    }),
    output: runPage,
    example: { specId: 'AUTH-001' },
  },
  getRun: {
    summary: 'Read a run with its content, its features and its last turn',
    permission: 'read',
    input: z.strictObject({ runId: humanId }),
    output: z.object({ run: fullRun }),
    example: { runId: 'RUN-001' },
  },
  updateRun: {
    summary: 'Change fields of a run',
    permission: 'agent',
    input: z.strictObject({
      runId: humanId,
      ...runInput,
      touched,
      leaseSeconds: z
        .union([z.literal(0), leaseSeconds], 'must be 0, or 10 to 86400 seconds')
        .optional()
        .describe('Grants or renews a lease; 0 ends it'),
      ifVersion,
      leaseToken,
    }),
    output: leasedAnswer,
    example: { runId: 'RUN-001', status: 'completed', labels: { team: 'web' } },
  },
  deleteRun: {
    summary: 'Delete a run',
    permission: 'delete',
    input: z.strictObject({ runId: humanId, ifVersion, leaseToken }),
    output: done,
    example: { runId: 'RUN-001' },
  },
  linkFeatures: {
    summary: 'Link features to a run, by number or by name; those that do not exist yet are created',
    words: 'run link',
    permission: 'agent',
    input: z.strictObject({
      runId: humanId,
      featureIds: z.array(rowId).max(100).optional(),
      features: z
        .array(featureInput)
        .max(100)
        .optional()
        .describe('Their names and descriptions have at most 100,000 bytes together'),
    }),
    output: done.extend({
      count: z.int().describe('Distinct features that the call named'),
      created: z.array(rowId).describe('Those that did not exist before'),
    }),
    example: { runId: 'RUN-001', featureIds: [42, 43, 44] },
  },
  unlinkFeature: {
    summary: 'Unlink a feature from a run',
    words: 'run unlink',
    permission: 'agent',
    input: z.strictObject({ runId: humanId, featureId: rowId }),
    output: done,
    example: { runId: 'RUN-001', featureId: 44 },
  },
} as const satisfies { [N in Name]?: OperationRoute }

export type RunRoutes = typeof runRoutes
