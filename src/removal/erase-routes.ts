import { z } from 'zod'
import { humanId, rowId, text } from '../contract/field.ts'
import type { Name } from '../contract/paths.ts'
import type { OperationRoute } from '../contract/route.ts'

const count = z.int().min(0)

export const erasedCounts = z.object({
  runs: count.describe('Runs'),
  turns: count.describe('Turns'),
  specs: count.describe('Specs'),
  checks: count.describe('Checks'),
  features: count.describe('Features'),
  events: count.describe('Events of the log'),
  others: count.describe('Names of keys and projects, addresses of webhooks, and other texts of the server'),
  responses: count.describe('Stored responses to repeated requests; dropped unread, because they are encrypted'),
})

export const eraseRoutes = {
  erase: {
    summary: 'Erase the texts of a run, a spec, a key or a project, or one text everywhere, for good',
    words: null,
    permission: 'admin',
    input: z.strictObject({
      runId: humanId.optional().describe('The run, with its turns and checks; also a deleted one'),
      specId: humanId.optional().describe('The spec, with every version; also a deleted one'),
      keyId: rowId
        .optional()
        .describe('The key: its name, person and machine, wherever they stand; also a revoked one'),
      everything: z.literal(true).optional().describe('All texts of the project'),
      text: text(1000, 4).optional().describe('Every field that contains exactly this text, in all projects'),
      dryRun: z.boolean().optional().describe('Only counts'),
      cursor: z.string().max(1000).optional().describe('nextCursor of the previous response'),
    }),
    output: z.object({
      erased: erasedCounts.describe('How many rows have lost texts so far'),
      hasMore: z.boolean().describe('true: not done yet; send the same request with cursor'),
      nextCursor: z.string().optional(),
    }),
    isAnew: true,
    example: { text: 'sk_live_example', dryRun: true },
  },
} as const satisfies { [N in Name]?: OperationRoute }

export type EraseRoutes = typeof eraseRoutes
