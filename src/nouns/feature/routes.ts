import { z } from 'zod'
import { humanId, ifVersion, pageInput, pageMeta, projectFilter, rowId, text } from '../../contract/field.ts'
import type { Name } from '../../contract/paths.ts'
import { created, done, type OperationRoute } from '../../contract/route.ts'
import { runPage } from '../run/fields.ts'
import { runFilters } from '../run/filters.ts'
import { feature, featureInput, featurePatch, listedFeature } from './fields.ts'

const featureAnswer = z.object({ feature })

export const featureRoutes = {
  createFeature: {
    summary: 'Create a feature, or update the existing one of that name',
    permission: 'agent',
    input: featureInput,
    output: featureAnswer.extend({ created: z.boolean().describe('false: it existed already') }),
    success: [201, 200],
    example: { name: 'user-auth', file: 'src/auth/login.ts' },
  },
  listFeatures: {
    summary: 'List features',
    permission: 'read',
    input: z.strictObject({
      project: projectFilter,
      q: text(200, 1).optional().describe('Part of the name or description; ASCII letters match regardless of case'),
      file: text(512, 1).optional(),
      runId: humanId.optional().describe('Only the features that this run touched'),
      ...pageInput,
    }),
    output: z.object({ features: z.array(listedFeature), meta: pageMeta }),
    example: { q: 'auth' },
  },
  getFeature: {
    summary: 'Read a feature',
    permission: 'read',
    input: z.strictObject({ id: rowId }),
    output: featureAnswer,
    example: { id: 42 },
  },
  updateFeature: {
    summary: 'Change fields of a feature',
    permission: 'agent',
    input: z.strictObject({ id: rowId, ...featurePatch, ifVersion }),
    output: featureAnswer,
    example: { id: 43, name: 'password-reset', description: 'Reset by mail' },
  },
  deleteFeature: {
    summary: 'Delete a feature and its links',
    permission: 'delete',
    input: z.strictObject({ id: rowId, ifVersion }),
    output: done,
    example: { id: 43 },
  },
  listFeatureRuns: {
    summary: 'List the runs that touched a feature',
    words: 'feature runs',
    permission: 'read',
    input: z.strictObject({ id: rowId, specId: humanId.optional(), mine: runFilters.mine, ...created, ...pageInput }),
    output: runPage,
    example: { id: 42 },
  },
} as const satisfies { [N in Name]?: OperationRoute }

export type FeatureRoutes = typeof featureRoutes
