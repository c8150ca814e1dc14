import { z } from 'zod'
import { humanId, text } from '../field.ts'
import type { Name } from '../paths.ts'
import type { Route } from './route.ts'

const count = z.int().min(0)

export const eraseRoutes = {
  erase: {
    summary: 'Erase texts for good: of a run, of a spec, of the whole project, or all in which a text stands',
    words: null,
    permission: 'admin',
    input: z.strictObject({
      runId: humanId.optional().describe('The run, with its turns and checks; also one that was deleted'),
      specId: humanId.optional().describe('The spec, with every version; also one that was deleted'),
      everything: z.literal(true).optional().describe('All texts of the project'),
      text: text(1000, 4).optional().describe('Every text in which this stands, letter by letter, in all projects'),
      dryRun: z.boolean().optional().describe('Only counts'),
      cursor: z.string().max(1000).optional().describe('nextCursor of the answer before'),
    }),
    output: z.object({
      erased: z
        .object({
          runs: count.describe('Runs'),
          turns: count.describe('Turns'),
          specs: count.describe('Specs'),
          checks: count.describe('Checks'),
          features: count.describe('Features'),
          events: count.describe('Events of the log'),
          others: count.describe('Names of keys and projects, addresses of webhooks, kept answers of requests'),
        })
        .describe('How many have lost texts so far'),
      hasMore: z.boolean().describe('Whether it is not done yet: send the same with cursor'),
      nextCursor: z.string().optional(),
    }),
    success: [200],
    example: { text: 'sk_live_example', dryRun: true },
  },
} as const satisfies { [N in Name]?: Route }
