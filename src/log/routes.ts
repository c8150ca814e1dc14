import { z } from 'zod'
import { order, pageInput, projectFilter } from '../contract/field.ts'
import type { Name } from '../contract/paths.ts'
import type { OperationRoute } from '../contract/route.ts'
import { event, eventSubject, eventType, place } from './fields.ts'

export const logRoutes = {
  listEvents: {
    summary: 'List changes in the order in which they became visible, oldest first by default',
    words: 'events',
    permission: 'read',
    input: z.strictObject({
      project: projectFilter,
      after: place
        .optional()
        .describe(
          'The id of the event after which to begin, or its seq, which cannot show whether the log has lost events; a stream begins now by default',
        ),
      type: z.array(eventType).optional(),
      subject: eventSubject.optional(),
      limit: pageInput.limit,
      order: order.default('asc').describe('Oldest or newest first; a stream only goes forward'),
      before: z.int().min(1).optional().describe('The seq before which to end'),
    }),
    output: z.object({
      events: z.array(event),
      meta: z.object({
        hasMore: z.boolean(),
        lastSeq: z.int().describe('The next `after`; newest first, the next `before`'),
      }),
    }),
    example: { after: 0, limit: 3 },
  },
} as const satisfies { [N in Name]?: OperationRoute }

export type LogRoutes = typeof logRoutes
