import { z } from 'zod'
import { author, humanId, pageInput, pageMeta, projectFilter } from '../../../contract/field.ts'
import type { Name } from '../../../contract/paths.ts'
import type { OperationRoute } from '../../../contract/route.ts'
import { attention, attentionGroup, attentionInput, groupings, reason, state } from './fields.ts'
import { mostCounted } from './group.ts'

const { limit, cursor } = pageInput

/** Some runs. In an address, one id is a list of one. */
const runIds: z.ZodType<string[], string | string[]> = z.array(humanId).min(1).max(100)

export const attentionRoutes = {
  listAttention: {
    summary: 'List the runs that somebody should look at, the newest first',
    permission: 'read',
    input: z.strictObject({
      project: projectFilter,
      group: z
        .enum(groupings)
        .optional()
        .describe(
          `Groups instead of runs, of the newest ${mostCounted.toLocaleString('en')}: by spec, or branch where a run has no spec; by branch; by failing check; by who looks at it, or else the author`,
        ),
      state: state.default('open'),
      reason: z.array(reason).optional().describe('Only for these reasons'),
      mine: z.boolean().optional().describe('Runs of the person of the key, or assigned to that person'),
      author: author.optional().describe('Runs of this person, compared by email address'),
      assignee: author.optional().describe('Runs assigned to this person, compared by email address'),
      runId: runIds.optional().describe('Only these runs'),
      limit: limit.describe('Rows or groups per page'),
      cursor,
    }),
    output: z.object({
      attention: z.array(attention).optional().describe('The runs of this page'),
      grouped: z.array(attentionGroup).optional().describe('The groups of this page'),
      count: z
        .int()
        .optional()
        .describe(
          `With group: how many runs the groups of all pages have, at most ${mostCounted.toLocaleString('en')}`,
        ),
      isPartial: z.boolean().optional().describe('With group: whether there are more runs than that'),
      meta: pageMeta,
    }),
    example: { group: 'spec' },
  },
  updateAttention: {
    summary: 'Resolve, assign, put off or note runs that somebody should look at',
    permission: 'write',
    input: z.strictObject({
      runIds: runIds.describe('Runs that no longer need attention stay as they are'),
      ...attentionInput,
    }),
    output: z.object({
      attention: z.array(attention).describe('Those of the runs that need attention, as they are now'),
    }),
    example: { runIds: ['RUN-001'], assignee: 'Ada Example <ada@example.com>', note: 'The test is flaky.' },
  },
} as const satisfies { [N in Name]?: OperationRoute }

export type AttentionRoutes = typeof attentionRoutes
