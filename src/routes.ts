import { z } from 'zod'
import { event } from './event.ts'
import { feature, featureFields, maxFeatureNumber } from './feature.ts'
import { humanId, ifVersion, rowId, text, timeInput } from './field.ts'
import { key, keyFields, permission, type Required } from './key.ts'
import { pageInput, pageMeta } from './page.ts'
import type { Name } from './paths.ts'
import { project, projectFields, projectFilter } from './project.ts'
import { fullRun, run, runFields, runStatus } from './run.ts'

export interface Route {
  summary: string
  permission: Required
  input: z.ZodObject
  output: z.ZodObject
  /** The statuses of success; with two, the output's `created` tells which. */
  success: readonly [200 | 201, 200?]
  /** The output field that is shown once and never stored: a replay is refused instead. */
  secret?: string
  /** An input that works on the ledger of the documentation, in the order of creating, reading, changing, deleting. */
  example: Record<string, unknown>
}

const done = z.object({ message: z.string() })
const runAnswer = z.object({ run })
const featureAnswer = z.object({ feature })
const projectAnswer = z.object({ project })
const runPage = z.object({ runs: z.array(run), meta: pageMeta })

const created = { createdAfter: timeInput.optional(), createdBefore: timeInput.optional() }
const featureNumber = z.int().min(1).max(maxFeatureNumber)

export const routes = {
  createRun: {
    summary: 'Create a run',
    permission: 'agent',
    input: z.strictObject({ runId: humanId.optional().describe('Else the next RUN-<n> of the project'), ...runFields }),
    output: runAnswer,
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
      specId: humanId.optional(),
      status: z.array(runStatus).optional(),
      agent: text(200, 1).optional(),
      label: text(320)
        .regex(/^[^:]+:/, 'must be name:value')
        .optional()
        .describe('name:value'),
      featureId: featureNumber.optional(),
      ...created,
      ...pageInput,
    }),
    output: runPage,
    success: [200],
    example: { specId: 'AUTH-001' },
  },
  getRun: {
    summary: 'Read a run with its content and features',
    permission: 'read',
    input: z.strictObject({ runId: humanId }),
    output: z.object({ run: fullRun }),
    success: [200],
    example: { runId: 'RUN-001' },
  },
  updateRun: {
    summary: 'Change fields of a run',
    permission: 'agent',
    input: z.strictObject({ runId: humanId, ...runFields, ifVersion }),
    output: runAnswer,
    success: [200],
    example: { runId: 'RUN-001', status: 'completed', labels: { team: 'web' } },
  },
  deleteRun: {
    summary: 'Delete a run',
    permission: 'delete',
    input: z.strictObject({ runId: humanId, ifVersion }),
    output: done,
    success: [200],
    example: { runId: 'RUN-001' },
  },
  linkFeatures: {
    summary: 'Link features to a run, by number or by name; those that do not exist yet are created',
    permission: 'agent',
    input: z.strictObject({
      runId: humanId,
      featureIds: z.array(featureNumber).max(100).optional(),
      features: z.array(z.strictObject(featureFields)).max(100).optional(),
    }),
    output: done.extend({
      count: z.int().describe('Distinct features that the call named'),
      created: z.array(rowId).describe('Those of them that did not exist before'),
    }),
    success: [200],
    example: { runId: 'RUN-001', featureIds: [42, 43, 44] },
  },
  unlinkFeature: {
    summary: 'Take a feature off a run',
    permission: 'agent',
    input: z.strictObject({ runId: humanId, featureId: rowId }),
    output: done,
    success: [200],
    example: { runId: 'RUN-001', featureId: 44 },
  },

  createFeature: {
    summary: 'Create a feature, or update the one of that name',
    permission: 'agent',
    input: z.strictObject(featureFields),
    output: featureAnswer.extend({ created: z.boolean().describe('false: it was there already') }),
    success: [201, 200],
    example: { name: 'user-auth', file: 'src/auth/login.ts' },
  },
  listFeatures: {
    summary: 'List features',
    permission: 'read',
    input: z.strictObject({
      project: projectFilter,
      q: text(200, 1).optional().describe('Part of the name or description; ASCII letters match in either case'),
      file: text(512, 1).optional(),
      ...pageInput,
    }),
    output: z.object({ features: z.array(feature), meta: pageMeta }),
    success: [200],
    example: { q: 'auth' },
  },
  getFeature: {
    summary: 'Read a feature',
    permission: 'read',
    input: z.strictObject({ id: rowId }),
    output: featureAnswer,
    success: [200],
    example: { id: 42 },
  },
  updateFeature: {
    summary: 'Change fields of a feature',
    permission: 'agent',
    input: z.strictObject({ id: rowId, ...featureFields, name: featureFields.name.optional(), ifVersion }),
    output: featureAnswer,
    success: [200],
    example: { id: 43, name: 'password-reset', description: 'Reset by mail' },
  },
  deleteFeature: {
    summary: 'Delete a feature and its links',
    permission: 'delete',
    input: z.strictObject({ id: rowId, ifVersion }),
    output: done,
    success: [200],
    example: { id: 43 },
  },
  listFeatureRuns: {
    summary: 'List the runs that touched a feature',
    permission: 'read',
    input: z.strictObject({ id: rowId, specId: humanId.optional(), ...created, ...pageInput }),
    output: runPage,
    success: [200],
    example: { id: 42 },
  },

  createProject: {
    summary: 'Create a project',
    permission: 'admin',
    input: z.strictObject({
      slug: humanId,
      name: projectFields.name.optional().describe('Else the slug'),
      repository: projectFields.repository.optional(),
    }),
    output: projectAnswer,
    success: [201],
    example: { slug: 'shop', name: 'Shop', repository: 'https://example.com/shop.git' },
  },
  listProjects: {
    summary: 'List the projects that the key sees',
    permission: 'read',
    input: z.strictObject(pageInput),
    output: z.object({ projects: z.array(project), meta: pageMeta }),
    success: [200],
    example: {},
  },
  getProject: {
    summary: 'Read a project',
    permission: 'read',
    input: z.strictObject({ slug: humanId }),
    output: projectAnswer,
    success: [200],
    example: { slug: 'shop' },
  },
  updateProject: {
    summary: 'Change fields of a project',
    permission: 'admin',
    input: z.strictObject({
      slug: humanId,
      name: projectFields.name.optional(),
      repository: projectFields.repository.optional(),
      ifVersion,
    }),
    output: projectAnswer,
    success: [200],
    example: { slug: 'shop', name: 'Web shop' },
  },

  createKey: {
    summary: 'Create a key; its secret is in this answer and nowhere else',
    permission: 'admin',
    input: z.strictObject(keyFields),
    output: z.object({ key, secret: z.string() }),
    success: [201],
    secret: 'secret',
    example: { name: 'nightly agents', permissions: ['agent'], project: 'shop' },
  },
  listKeys: {
    summary: 'List keys',
    permission: 'admin',
    input: z.strictObject(pageInput),
    output: z.object({ keys: z.array(key), meta: pageMeta }),
    success: [200],
    example: { limit: 50 },
  },
  revokeKey: {
    summary: 'Revoke a key',
    permission: 'admin',
    input: z.strictObject({ id: rowId }),
    output: done,
    success: [200],
    example: { id: 2 },
  },
  me: {
    summary: 'The key that asks',
    permission: 'read',
    input: z.strictObject({}),
    output: z.object({ key: key.nullable().describe('null: the local user'), permissions: z.array(permission) }),
    success: [200],
    example: {},
  },

  listEvents: {
    summary: 'Changes in the order in which they became visible, oldest first',
    permission: 'read',
    input: z.strictObject({
      project: projectFilter,
      after: z.int().min(0).default(0).describe('The seq after which to begin'),
      limit: pageInput.limit,
    }),
    output: z.object({
      events: z.array(event),
      meta: z.object({ hasMore: z.boolean(), lastSeq: z.int().describe('Where to go on: the next `after`') }),
    }),
    success: [200],
    example: { after: 0, limit: 3 },
  },
} as const satisfies { [N in Name]: Route }

export type Routes = typeof routes
/** What a caller may give: defaults and transformed fields in their outer form. */
export type Input<N extends Name> = z.input<Routes[N]['input']>
/** What an operation receives. */
export type Parsed<N extends Name> = z.output<Routes[N]['input']>
export type Output<N extends Name> = z.output<Routes[N]['output']>
