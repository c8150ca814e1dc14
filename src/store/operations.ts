import { deleteCheck, getCheck, updateCheck } from './check/check.ts'
import { createCheck } from './check/create.ts'
import { listChecks } from './check/list.ts'
import type { Operations } from './ctx.ts'
import { erase } from './erase/erase.ts'
import { createFeature, deleteFeature, getFeature, listFeatures, updateFeature } from './feature/feature.ts'
import { createKey, listKeys, me, revokeKey, updateKey } from './key/key.ts'
import { createLoginCode, createSession, deleteSession } from './key/session.ts'
import { listEvents } from './log/list.ts'
import { deleteProject } from './project/delete.ts'
import { createProject, getProject, listProjects, updateProject } from './project/project.ts'
import { forget } from './retention/forget.ts'
import { appendToRun, readContent } from './run/content.ts'
import { listRunFiles } from './run/file.ts'
import { heartbeat } from './run/lease.ts'
import { linkFeatures, unlinkFeature } from './run/link.ts'
import { listFeatureRuns, listRuns, listSpecRuns } from './run/list.ts'
import { createRun, deleteRun, getRun, updateRun } from './run/run.ts'
import { stats } from './run/stats.ts'
import { suggest } from './run/suggest.ts'
import { timeline } from './run/timeline.ts'
import { appendTurn, getTurn, listTurns } from './run/turn.ts'
import { getCheckpoint, getConsistency, getProof, listLeaves } from './seal/read.ts'
import { search } from './search/search.ts'
import { createSpec, deleteSpec, getSpec, listSpecs, updateSpec } from './spec/spec.ts'
import { getSpecVersion, listSpecVersions } from './spec/version.ts'
import { listWebhookDeliveries, testWebhook } from './webhook/delivery.ts'
import {
  createWebhook,
  deleteWebhook,
  getWebhook,
  listWebhooks,
  rotateWebhookSecret,
  updateWebhook,
} from './webhook/webhook.ts'

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
