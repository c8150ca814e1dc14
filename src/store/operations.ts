import { createCheck, deleteCheck, getCheck, listChecks, updateCheck } from './check.ts'
import { appendToRun, readContent } from './content.ts'
import type { Operations } from './ctx.ts'
import { listEvents } from './event.ts'
import { createFeature, deleteFeature, getFeature, listFeatures, updateFeature } from './feature.ts'
import { createKey, listKeys, me, revokeKey } from './key.ts'
import { heartbeat } from './lease.ts'
import { linkFeatures, unlinkFeature } from './link.ts'
import { createProject, getProject, listProjects, updateProject } from './project.ts'
import { createRun, deleteRun, getRun, updateRun } from './run.ts'
import { listFeatureRuns, listRuns, listSpecRuns } from './run-list.ts'
import { search } from './search.ts'
import { createLoginCode, createSession, deleteSession } from './session.ts'
import { createSpec, deleteSpec, getSpec, listSpecs, updateSpec } from './spec.ts'
import { getSpecVersion, listSpecVersions } from './spec-version.ts'
import { stats } from './stats.ts'
import { timeline } from './timeline.ts'

/** Each operation of the API as one function; a missing or mistyped one does not compile. */
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
  createKey,
  listKeys,
  revokeKey,
  me,
  createLoginCode,
  createSession,
  deleteSession,
  listEvents,
  search,
  stats,
}
