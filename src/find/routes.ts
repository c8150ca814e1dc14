import { z } from 'zod'
import { humanId, pageInput, pageMeta, projectFilter, text } from '../contract/field.ts'
import type { Name } from '../contract/paths.ts'
import { created, type OperationRoute } from '../contract/route.ts'
import { runFilters } from '../nouns/run/filters.ts'
import { day, duration, group, statsBy, tally } from '../nouns/run/stats-fields.ts'
import { found, searchType, suggested } from './fields.ts'

export const findRoutes = {
  search: {
    summary:
      'Find runs, turns, diffs, specs, checks and features by words: hits in id and title first, then the newest; with filters of runs, only those and what belongs to them',
    words: 'search',
    permission: 'read',
    input: z.strictObject({
      project: projectFilter,
      q: text(200, 1).describe('Words that must all occur; the last may be a prefix'),
      type: z.array(searchType).optional(),
      group: z
        .enum(['run'])
        .optional()
        .describe('run: each run once a page, with its turns, diffs and checks below it'),
      ...runFilters,
      limit: pageInput.limit,
      cursor: pageInput.cursor,
    }),
    output: z.object({ results: z.array(found), meta: pageMeta }),
    example: { q: 'passkey' },
  },
  suggest: {
    summary: 'List the values of a field of runs, as suggestions for a filter',
    words: 'suggest',
    permission: 'read',
    input: z.strictObject({
      project: projectFilter,
      field: suggested.describe('The field whose values to list'),
      q: text(200)
        .optional()
        .describe(
          'Only values with this anywhere, in any case. Of a project with more than 1,000 values, only the first 1,000 are compared; of the others, those that begin with it, in the same case, are found',
        ),
      limit: pageInput.limit,
    }),
    output: z.object({
      values: z
        .array(z.string())
        .describe('Sorted by character code, those that begin with q first; labels as name:value'),
      meta: z.object({ hasMore: z.boolean() }),
    }),
    example: { field: 'agent' },
  },
  stats: {
    summary: 'Count and sum runs by day, for the last 30 days by default',
    words: 'stats',
    permission: 'read',
    input: z.strictObject({
      project: projectFilter,
      specId: humanId.optional(),
      agent: text(200, 1).optional(),
      by: statsBy
        .optional()
        .describe(
          'Groups the runs by this; by author, an email address is one group, whatever the name before it; by model, a run is in the group of each model that it used, with what it used of that',
        ),
      timeZone: text(64, 1)
        .default('UTC')
        .describe('The time zone of the days: an IANA name, such as Europe/Berlin, or an offset, such as +02:00'),
      ...created,
    }),
    output: z.object({
      groups: z
        .array(group)
        .optional()
        .describe('By the requested field, groups with the most runs first; at most 100'),
      days: z.array(day).describe('Every day of the range in that time zone, oldest first; at most 366'),
      total: tally,
      duration: duration.describe('From start to end'),
    }),
    example: { createdAfter: '2026-01-31T00:00:00Z', createdBefore: '2026-02-01T00:00:00Z' },
  },
} as const satisfies { [N in Name]?: OperationRoute }

export type FindRoutes = typeof findRoutes
