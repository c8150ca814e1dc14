import type { Operations } from './ctx.ts'
import { listEvents } from './event.ts'
import { createFeature, deleteFeature, getFeature, listFeatures, updateFeature } from './feature.ts'
import { createKey, listKeys, me, revokeKey } from './key.ts'
import { linkFeatures, unlinkFeature } from './link.ts'
import { createProject, getProject, listProjects, updateProject } from './project.ts'
import { createRun, deleteRun, getRun, updateRun } from './run.ts'
import { listFeatureRuns, listRuns } from './run-list.ts'

/** Each operation of the API as one function; a missing or mistyped one does not compile. */
export const operations: Operations = {
  createRun,
  listRuns,
  getRun,
  updateRun,
  deleteRun,
  linkFeatures,
  unlinkFeature,
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
  listEvents,
}
