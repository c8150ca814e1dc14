import { z } from 'zod'
import type { Required } from '../ledger/actor.ts'
import { maxFeatureNumber } from '../ledger/feature.ts'
import { check, checkFields, checkName, checkResult, fullCheck } from './check.ts'
import { event, eventSubject, eventType } from './event.ts'
import { feature, featureFields } from './feature.ts'
import { author, humanId, ifVersion, importedAt, rowId, text, time, timeInput } from './field.ts'
import { key, keyFields, permission } from './key.ts'
import { lease, leaseSeconds, leaseToken } from './lease.ts'
import { pageInput, pageMeta } from './page.ts'
import type { Name } from './paths.ts'
import { project, projectFields, projectFilter } from './project.ts'
import { fullRun, run, runFields, runStatus, verdict } from './run.ts'
import { found, searchType } from './search.ts'
import { fullSpec, fullSpecVersion, spec, specFields, specStatus, specVersion } from './spec.ts'
import { day, duration, group, statsBy, tally } from './stats.ts'
import { timelineEntry } from './timeline.ts'
import { turn, turnFields, turnNumber } from './turn.ts'
import { activityInput } from './work.ts'

export interface Route {
  summary: string
  permission: Required
  input: z.ZodObject
  output: z.ZodObject
  /** The statuses of success; with two, the output's `created` tells which. */
  success: readonly [200 | 201, 200?]
  /** The output field that is shown once and never stored: a replay is refused instead. */
  secret?: string
  /** The words of its command, where they do not follow from its name as `run create` from `createRun`; null for what only a browser does. */
  words?: string | null
  /** An input that works on the ledger of the documentation, in the order of creating, reading, changing, deleting. */
  example: Record<string, unknown>
}

/** Stands in the examples for the secret of a key. */
export const exampleKey = 'sk_admin_xxx'

const done = z.object({ message: z.string() })
const runAnswer = z.object({ run })
const leasedAnswer = runAnswer.extend({
  lease: lease.optional().describe('Where one was granted or renewed by leaseSeconds'),
})
const turnAnswer = z.object({ turn })
const specAnswer = z.object({ spec })
const checkAnswer = z.object({ check })
const featureAnswer = z.object({ feature })
const projectAnswer = z.object({ project })
const runPage = z.object({ runs: z.array(run), meta: pageMeta })

const created = { createdAfter: timeInput.optional(), createdBefore: timeInput.optional() }
const featureNumber = z.int().min(1).max(maxFeatureNumber)

export const routes = {
  createRun: {
    summary: 'Create a run',
    permission: 'agent',
    input: z.strictObject({
      runId: humanId.optional().describe('Else the next RUN-<n> of the project'),
      ...runFields,
      retryOf: humanId.optional().describe('The runId that this is a further attempt of'),
      leaseSeconds: leaseSeconds
        .optional()
        .describe('Fails the run unless it is heard of again within so many seconds'),
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
      specId: humanId.optional(),
      specVersion: z.int().min(1).optional(),
      status: z.array(runStatus).optional(),
      verdict: z.array(verdict).optional(),
      agent: text(200, 1).optional(),
      label: text(320)
        .regex(/^[^:]+:/, 'must be name:value')
        .optional()
        .describe('name:value'),
      featureId: featureNumber.optional(),
      author: author.optional(),
      commit: z
        .string()
        .regex(/^[0-9a-f]{7,64}$/, 'must be 7 to 64 of 0-9 a-f')
        .optional()
        .describe('That it made or ended on: its id, or the first 7 digits or more'),
      branch: text(255, 1).optional(),
      session: text(200, 1).optional(),
      href: text(2048, 1).optional().describe('The address of one of its links'),
      ...created,
      endedAfter: timeInput.optional(),
      endedBefore: timeInput.optional(),
      ...pageInput,
    }),
    output: runPage,
    success: [200],
    example: { specId: 'AUTH-001' },
  },
  getRun: {
    summary: 'Read a run with its content, its features and its last turn',
    permission: 'read',
    input: z.strictObject({ runId: humanId }),
    output: z.object({ run: fullRun }),
    success: [200],
    example: { runId: 'RUN-001' },
  },
  updateRun: {
    summary: 'Change fields of a run',
    permission: 'agent',
    input: z.strictObject({
      runId: humanId,
      ...runFields,
      leaseSeconds: z
        .union([z.literal(0), leaseSeconds], 'must be 0, or 10 to 86400 seconds')
        .optional()
        .describe('Grants or renews a lease; 0 ends it'),
      ifVersion,
      leaseToken,
    }),
    output: leasedAnswer,
    success: [200],
    example: { runId: 'RUN-001', status: 'completed', labels: { team: 'web' } },
  },
  deleteRun: {
    summary: 'Delete a run',
    permission: 'delete',
    input: z.strictObject({ runId: humanId, ifVersion, leaseToken }),
    output: done,
    success: [200],
    example: { runId: 'RUN-001' },
  },
  linkFeatures: {
    summary: 'Link features to a run, by number or by name; those that do not exist yet are created',
    words: 'run link',
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
    words: 'run unlink',
    permission: 'agent',
    input: z.strictObject({ runId: humanId, featureId: rowId }),
    output: done,
    success: [200],
    example: { runId: 'RUN-001', featureId: 44 },
  },
  appendToRun: {
    summary: "Append text to a run's content; concurrent appends all survive",
    words: 'run append',
    permission: 'agent',
    input: z.strictObject({
      runId: humanId,
      text: text(Number.POSITIVE_INFINITY),
      offset: z.int().min(0).optional().describe('Bytes that the caller believes are there'),
      leaseToken,
    }),
    output: runAnswer,
    success: [200],
    example: { runId: 'RUN-001', text: '\nAll tests pass.\n' },
  },
  readContent: {
    summary: "Read a run's content from a byte on, as it grows",
    words: 'run content',
    permission: 'read',
    input: z.strictObject({ runId: humanId, after: z.int().min(0).default(0).describe('The byte to begin at') }),
    output: z.object({
      text: z.string(),
      next: z.int().describe('The byte to begin at next'),
      truncated: z.boolean().describe('Whether the middle of the content was dropped'),
    }),
    success: [200],
    example: { runId: 'RUN-001', after: 10 },
  },
  heartbeat: {
    summary: 'Say that a run is alive, and renew its lease',
    words: 'run heartbeat',
    permission: 'agent',
    input: z.strictObject({
      runId: humanId,
      activity: activityInput.optional().describe('What it does now'),
      leaseSeconds: leaseSeconds.optional(),
      leaseToken,
    }),
    output: runAnswer,
    success: [200],
    example: { runId: 'RUN-001' },
  },
  timeline: {
    summary: 'The events, checks and attempts of a run, oldest first',
    words: 'run timeline',
    permission: 'read',
    input: z.strictObject({ runId: humanId }),
    output: z.object({ timeline: z.array(timelineEntry) }),
    success: [200],
    example: { runId: 'RUN-001' },
  },

  appendTurn: {
    summary:
      'Add a turn to a run: what happened between a prompt and its answer. What the run used and changed follows',
    words: 'run add-turn',
    permission: 'agent',
    input: z.strictObject({
      runId: humanId,
      n: turnNumber.optional().describe('Its number, so that sending it twice adds it once; else the next'),
      ...turnFields,
      leaseToken,
    }),
    output: turnAnswer,
    success: [201],
    example: {
      runId: 'RUN-001',
      n: 1,
      prompt: 'Let people log in with a passkey.',
      answer: 'The login form has a passkey button now, and its tests pass.',
      model: 'claude-sonnet',
      tools: [{ name: 'Edit', count: 2 }],
      files: [{ path: 'src/auth/login.ts', insertions: 40, deletions: 3 }],
      commands: [{ command: 'npm test', exitCode: 0, durationMs: 41_000 }],
      usage: { inputTokens: 48_200, cacheReadTokens: 40_000, outputTokens: 1_900 },
    },
  },
  listTurns: {
    summary: 'List the turns of a run, the first one first',
    words: 'run turns',
    permission: 'read',
    input: z.strictObject({
      runId: humanId,
      ...pageInput,
      order: z.enum(['asc', 'desc']).default('asc').describe('Oldest or newest first'),
    }),
    output: z.object({ turns: z.array(turn), meta: pageMeta }),
    success: [200],
    example: { runId: 'RUN-001' },
  },
  getTurn: {
    summary: 'Read a turn of a run',
    words: 'run turn',
    permission: 'read',
    input: z.strictObject({ runId: humanId, n: turnNumber }),
    output: turnAnswer,
    success: [200],
    example: { runId: 'RUN-001', n: 1 },
  },

  createSpec: {
    summary: 'Create a spec',
    permission: 'agent',
    input: z.strictObject({
      specId: humanId.optional().describe('Else the next SPEC-<n> of the project'),
      ...specFields,
      createdAt: importedAt,
    }),
    output: specAnswer,
    success: [201],
    example: { specId: 'AUTH-001', content: '# Log in with a passkey\n\n- [x] button\n- [ ] tests' },
  },
  listSpecs: {
    summary: 'List specs',
    permission: 'read',
    input: z.strictObject({
      project: projectFilter,
      status: z.array(specStatus).optional(),
      q: text(200, 1).optional().describe('Part of the title; ASCII letters match in either case'),
      ...created,
      ...pageInput,
    }),
    output: z.object({ specs: z.array(spec), meta: pageMeta }),
    success: [200],
    example: { status: ['draft'] },
  },
  getSpec: {
    summary: 'Read a spec with its content and what its runs come to',
    permission: 'read',
    input: z.strictObject({ specId: humanId }),
    output: z.object({ spec: fullSpec }),
    success: [200],
    example: { specId: 'AUTH-001' },
  },
  updateSpec: {
    summary: 'Change fields of a spec; its earlier words are kept',
    permission: 'agent',
    input: z.strictObject({ specId: humanId, ...specFields, ifVersion }),
    output: specAnswer,
    success: [200],
    example: { specId: 'AUTH-001', status: 'in_progress' },
  },
  deleteSpec: {
    summary: 'Delete a spec; its runs stay',
    permission: 'delete',
    input: z.strictObject({ specId: humanId, ifVersion }),
    output: done,
    success: [200],
    example: { specId: 'AUTH-001' },
  },
  listSpecRuns: {
    summary: 'List the runs of a spec',
    words: 'spec runs',
    permission: 'read',
    input: z.strictObject({
      specId: humanId,
      specVersion: z.int().min(1).optional(),
      status: z.array(runStatus).optional(),
      verdict: z.array(verdict).optional(),
      ...pageInput,
    }),
    output: runPage,
    success: [200],
    example: { specId: 'AUTH-001' },
  },
  listSpecVersions: {
    summary: 'List the versions of a spec',
    words: 'spec versions',
    permission: 'read',
    input: z.strictObject({ specId: humanId, ...pageInput }),
    output: z.object({ versions: z.array(specVersion), meta: pageMeta }),
    success: [200],
    example: { specId: 'AUTH-001' },
  },
  getSpecVersion: {
    summary: 'Read a spec as it was',
    words: 'spec version',
    permission: 'read',
    input: z.strictObject({ specId: humanId, version: z.int().min(1) }),
    output: z.object({ version: fullSpecVersion }),
    success: [200],
    example: { specId: 'AUTH-001', version: 1 },
  },

  createCheck: {
    summary: 'Record a check of a run; the verdict of the run follows',
    permission: 'agent',
    input: z.strictObject({
      checkId: humanId.optional().describe('Else the next CHECK-<n> of the project'),
      runId: humanId
        .optional()
        .describe('Else the newest run that made or ended on the commit, which is then its full id'),
      name: checkName.default('check').describe('The newest check of each name counts'),
      result: checkResult,
      ...checkFields,
      createdAt: importedAt,
    }),
    output: checkAnswer,
    success: [201],
    example: { runId: 'RUN-001', name: 'tests', result: 'pass', command: 'npm test', exitCode: 0, durationMs: 41_000 },
  },
  listChecks: {
    summary: 'List checks',
    permission: 'read',
    input: z.strictObject({
      project: projectFilter,
      runId: humanId.optional(),
      name: checkName.optional(),
      result: z.array(checkResult).optional(),
      ...created,
      ...pageInput,
    }),
    output: z.object({ checks: z.array(check), meta: pageMeta }),
    success: [200],
    example: { runId: 'RUN-001' },
  },
  getCheck: {
    summary: 'Read a check with its content',
    permission: 'read',
    input: z.strictObject({ checkId: humanId }),
    output: z.object({ check: fullCheck }),
    success: [200],
    example: { checkId: 'CHECK-001' },
  },
  updateCheck: {
    summary: 'Change fields of a check; its result only by the key that made it',
    permission: 'write',
    input: z.strictObject({ checkId: humanId, result: checkResult.optional(), ...checkFields, ifVersion }),
    output: checkAnswer,
    success: [200],
    example: { checkId: 'CHECK-001', content: '212 tests pass.' },
  },
  deleteCheck: {
    summary: 'Delete a check; the verdict of the run follows',
    permission: 'delete',
    input: z.strictObject({ checkId: humanId, ifVersion }),
    output: done,
    success: [200],
    example: { checkId: 'CHECK-001' },
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
    words: 'feature runs',
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
    words: 'key revoke',
    permission: 'admin',
    input: z.strictObject({ id: rowId }),
    output: done,
    success: [200],
    example: { id: 2 },
  },
  me: {
    summary: 'The key that asks',
    words: 'whoami',
    permission: 'read',
    input: z.strictObject({}),
    output: z.object({ key: key.nullable().describe('null: the local user'), permissions: z.array(permission) }),
    success: [200],
    example: {},
  },
  createLoginCode: {
    summary: 'A code with which a browser logs in, once and within ten minutes, as the key that asks',
    words: null,
    permission: 'read',
    input: z.strictObject({}),
    output: z.object({
      code: z.string().describe('For createSession; the page takes it from the address: <base path>/#code=…'),
      expiresAt: time,
    }),
    success: [201],
    secret: 'code',
    example: {},
  },
  createSession: {
    summary: 'Log a browser in with a key or a login code, for a cookie that scripts cannot read',
    words: null,
    permission: 'none',
    input: z.strictObject({
      key: text(200, 1).optional().describe('The secret of a key'),
      code: text(200, 1).optional().describe('A login code; one of the two'),
    }),
    output: z.object({ key, expiresAt: time.describe('When the session ends, if not before with its key') }),
    success: [201],
    example: { key: exampleKey },
  },
  deleteSession: {
    summary: 'Log the browser out whose cookie comes along',
    words: null,
    permission: 'none',
    input: z.strictObject({}),
    output: done,
    success: [200],
    example: {},
  },

  listEvents: {
    summary: 'Changes in the order in which they became visible, oldest first unless told otherwise',
    words: 'events',
    permission: 'read',
    input: z.strictObject({
      project: projectFilter,
      after: z.int().min(0).optional().describe('The seq after which to begin; a stream else begins now'),
      type: z.array(eventType).optional(),
      subject: eventSubject.optional(),
      limit: pageInput.limit,
      order: z.enum(['asc', 'desc']).default('asc').describe('Oldest or newest first; a stream goes on only forwards'),
      before: z.int().min(1).optional().describe('The seq before which to end'),
    }),
    output: z.object({
      events: z.array(event),
      meta: z.object({
        hasMore: z.boolean(),
        lastSeq: z.int().describe('Where to go on: the next `after`; newest first, the next `before`'),
      }),
    }),
    success: [200],
    example: { after: 0, limit: 3 },
  },

  search: {
    summary: 'Find runs, turns, specs, checks and features by their words; hits in id and title first, then the newest',
    words: 'search',
    permission: 'read',
    input: z.strictObject({
      project: projectFilter,
      q: text(200, 1).describe('Words that are all there; the last may be the beginning of one'),
      type: z.array(searchType).optional(),
      limit: pageInput.limit,
      cursor: pageInput.cursor,
    }),
    output: z.object({ results: z.array(found), meta: pageMeta }),
    success: [200],
    example: { q: 'passkey' },
  },

  stats: {
    summary: 'What runs come to, day by day; the last 30 days unless told otherwise',
    words: 'stats',
    permission: 'read',
    input: z.strictObject({
      project: projectFilter,
      specId: humanId.optional(),
      agent: text(200, 1).optional(),
      by: statsBy.optional().describe('Tells the runs apart by this'),
      ...created,
    }),
    output: z.object({
      groups: z.array(group).optional().describe('By what was asked for, those of most runs first; at most 100'),
      days: z.array(day).describe('Every day of the range in UTC, oldest first; at most 366'),
      total: tally,
      duration: duration.describe('From start to end'),
    }),
    success: [200],
    example: { createdAfter: '2026-01-31T00:00:00Z', createdBefore: '2026-02-01T00:00:00Z' },
  },
} as const satisfies { [N in Name]: Route }

export type Routes = typeof routes
/** What a caller may give: defaults and transformed fields in their outer form. */
export type Input<N extends Name> = z.input<Routes[N]['input']>
/** What an operation receives. */
export type Parsed<N extends Name> = z.output<Routes[N]['input']>
export type Output<N extends Name> = z.output<Routes[N]['output']>
