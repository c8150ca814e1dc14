import { z } from 'zod'
import { time } from '../contract/field.ts'
import type { Name } from '../contract/paths.ts'
import type { OperationRoute } from '../contract/route.ts'
import { retentionInput } from '../nouns/project/fields.ts'

export const forgottenRuns = z.object({
  runs: z.int().describe('Runs'),
  bytes: z.int().describe('Bytes of their contents, prompts and answers'),
  oldest: time.nullable().describe('When the oldest of them ended; null: there is none'),
})

export const forgetRoutes = {
  forget: {
    summary: 'Apply the retention of the project now, or count what that would remove',
    words: null,
    permission: 'admin',
    input: z.strictObject({
      dryRun: z.boolean().optional().describe('Only counts'),
      retention: retentionInput.optional().describe('With dryRun: counts for this one instead of that of the project'),
      cursor: z.string().max(1000).optional().describe('nextCursor of the previous response'),
    }),
    output: z.object({
      erased: forgottenRuns.describe('Runs that lose their texts and stay'),
      deleted: forgottenRuns.describe('Runs that are deleted'),
      hasMore: z.boolean().describe('Whether it is not done yet: send the same with cursor'),
      nextCursor: z.string().optional(),
    }),
    isAnew: true,
    example: { dryRun: true, retention: { contentDays: 90 } },
  },
} as const satisfies { [N in Name]?: OperationRoute }

export type ForgetRoutes = typeof forgetRoutes
