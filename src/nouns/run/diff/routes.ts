import { z } from 'zod'
import { humanId, pageInput, pageMeta } from '../../../contract/field.ts'
import type { Name } from '../../../contract/paths.ts'
import type { OperationRoute } from '../../../contract/route.ts'
import { leaseToken } from '../lease-fields.ts'
import { turnNumber } from '../turn-fields.ts'
import { count } from '../work-fields.ts'
import { diffInput, diffPath, fileDiff } from './fields.ts'

export const diffRoutes = {
  addDiffs: {
    summary: 'Add what a turn wrote, as unified diffs of its files. The same diff again changes nothing',
    words: 'run add-diffs',
    permission: 'agent',
    input: z.strictObject({
      runId: humanId,
      turn: turnNumber.describe('The number of the turn in its run, from 1'),
      diffs: z.array(diffInput).min(1).max(200).describe('The files, each once'),
      leaseToken,
    }),
    output: z.object({ added: z.int().describe('How many of these files the turn did not have yet') }),
    example: {
      runId: 'RUN-001',
      turn: 1,
      diffs: [
        {
          path: 'src/auth/login.ts',
          change: {
            status: 'modified',
            before: '3b18e512dba79e4c8300dd08aeb37f8e728b8dad',
            after: '5f2f16bfff90e6620509c0cf442e7a3586dad8fb',
            insertions: 2,
            deletions: 1,
            patch:
              '@@ -1,2 +1,3 @@\n const form = newForm()\n-form.add("password")\n+form.add("passkey")\n+form.add("password")\n',
          },
        },
      ],
    },
  },
  getDiff: {
    summary: 'Read what a run, or one of its turns, wrote: a unified diff of each file, by path',
    words: null,
    permission: 'read',
    input: z.strictObject({
      runId: humanId,
      path: diffPath.optional().describe('A file, or a folder with / at its end'),
      turn: turnNumber.optional().describe('Only what this turn wrote; default: from before the run to its end'),
      limit: pageInput.limit,
      cursor: pageInput.cursor,
    }),
    output: z.object({
      files: z.array(fileDiff).describe('The files of this page'),
      meta: pageMeta.extend({
        total: z.int().describe('How many files there are on all pages'),
        omitted: count.optional().describe('How many more files were changed, of which no diff was recorded'),
      }),
    }),
    csv: false,
    example: { runId: 'RUN-001', turn: 1 },
  },
} as const satisfies { [N in Name]?: OperationRoute }

export type DiffRoutes = typeof diffRoutes
