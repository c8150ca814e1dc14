import type { Name } from '../contract/paths.ts'
import { search } from '../find/search.ts'
import { stats } from '../find/stats.ts'
import { suggest } from '../find/suggest.ts'
import type { Ctx, Operation } from '../frame/ctx.ts'
import { type EventPage, listEvents } from '../log/list.ts'
import { getCheckpoint, getConsistency, getProof, listLeaves } from '../log/seal/read.ts'
import { createFeature, getFeature, listFeatures, updateFeature } from '../nouns/feature/feature.ts'
import { createKey, listKeys, me, revokeKey, updateKey } from '../nouns/key/key.ts'
import { createLoginCode, createSession, deleteSession } from '../nouns/key/session.ts'
import { createProject, getProject, listProjects, updateProject } from '../nouns/project/project.ts'
import { appendTurn, getTurn, listTurns } from '../nouns/run/append-turn.ts'
import { listAttention } from '../nouns/run/attention/list.ts'
import { updateAttention } from '../nouns/run/attention/update.ts'
import { getCheck, updateCheck } from '../nouns/run/check/check.ts'
import { createCheck } from '../nouns/run/check/create.ts'
import { listChecks } from '../nouns/run/check/list.ts'
import { appendToRun, readContent } from '../nouns/run/content.ts'
import { addDiffs } from '../nouns/run/diff/add.ts'
import { getDiff } from '../nouns/run/diff/get.ts'
import { listRunFiles } from '../nouns/run/file.ts'
import { linkFeatures, unlinkFeature } from '../nouns/run/link.ts'
import { listFeatureRuns, listRuns, listSpecRuns } from '../nouns/run/list.ts'
import { createRun, getRun, updateRun } from '../nouns/run/run.ts'
import { heartbeat } from '../nouns/run/take-lease.ts'
import { timeline } from '../nouns/run/timeline.ts'
import { createSpec, deleteSpec, getSpec, listSpecs, updateSpec } from '../nouns/spec/spec.ts'
import { getSpecVersion, listSpecVersions } from '../nouns/spec/version.ts'
import { listWebhookDeliveries, testWebhook } from '../nouns/webhook/delivery.ts'
import {
  createWebhook,
  deleteWebhook,
  getWebhook,
  listWebhooks,
  rotateWebhookSecret,
  updateWebhook,
} from '../nouns/webhook/webhook.ts'
import { deleteCheck } from '../removal/delete-check.ts'
import { deleteFeature } from '../removal/delete-feature.ts'
import { deleteProject } from '../removal/delete-project.ts'
import { deleteRun } from '../removal/delete-run.ts'
import { erase } from '../removal/erase/erase.ts'
import { forget } from '../removal/retention/forget.ts'
import type { Parsed, Routes } from './routes.ts'

/** A list of events returns them as lines; every other operation returns what its route says. */
type Operations = {
  [N in Name]: N extends 'listEvents' ? (ctx: Ctx, input: Parsed<N>) => Promise<EventPage> : Operation<Routes[N]>
}

/** One function per API operation. A missing or mistyped one does not compile. */
export const operations: Operations = {
  createRun,
  listRuns,
  getRun,
  updateRun,
  deleteRun,
  linkFeatures,
  unlinkFeature,
  appendToRun,
  readContent,
  heartbeat,
  timeline,
  appendTurn,
  listTurns,
  getTurn,
  listRunFiles,
  addDiffs,
  getDiff,
  createSpec,
  listSpecs,
  getSpec,
  updateSpec,
  deleteSpec,
  listSpecRuns,
  listSpecVersions,
  getSpecVersion,
  createCheck,
  listChecks,
  getCheck,
  updateCheck,
  deleteCheck,
  listAttention,
  updateAttention,
  createFeature,
  listFeatures,
  getFeature,
  updateFeature,
  deleteFeature,
  listFeatureRuns,
  createProject,
  listProjects,
  getProject,
  updateProject,
  deleteProject,
  createKey,
  listKeys,
  updateKey,
  revokeKey,
  me,
  createLoginCode,
  createSession,
  deleteSession,
  createWebhook,
  listWebhooks,
  getWebhook,
  updateWebhook,
  deleteWebhook,
  testWebhook,
  rotateWebhookSecret,
  listWebhookDeliveries,
  erase,
  forget,
  listEvents,
  getCheckpoint,
  getProof,
  getConsistency,
  listLeaves,
  search,
  suggest,
  stats,
}

/**
 * The only run that an operation changes and locks, with the rows that belong to it. An operation that is missing here,
 * or returns undefined, touches more.
 */
const runOf: { [N in Name]?: (input: Parsed<N>) => string | undefined } = {
  createRun: ({ runId, retryOf }) => (retryOf === undefined ? (runId ?? '') : undefined),
  updateRun: ({ runId }) => runId,
  appendToRun: ({ runId }) => runId,
  heartbeat: ({ runId }) => runId,
  appendTurn: ({ runId }) => runId,
  addDiffs: ({ runId }) => runId,
  createCheck: ({ runId }) => runId,
}

let created = 0

/**
 * The only subject of a request, as `tx` expects it. Of two requests with one Idempotency-Key, the second must find the
 * response of the first. So they have the same subject, even if each would create its own run.
 */
export function subjectOf<N extends Name>(
  { project }: Pick<Ctx, 'project'>,
  name: N,
  input: Parsed<N>,
  idempotencyKey: string | undefined,
): string | undefined {
  const runId = runOf[name]?.(input)
  if (runId === undefined) return undefined
  return runId === '' ? `new ${idempotencyKey ?? ++created}` : `run ${project.id} ${runId}`
}
