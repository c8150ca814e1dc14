/** Every operation of the API and its path below the base path. */
const paths = {
  createRun: 'POST /v1/runs',
  listRuns: 'GET /v1/runs',
  getRun: 'GET /v1/runs/:runId',
  updateRun: 'PATCH /v1/runs/:runId',
  deleteRun: 'DELETE /v1/runs/:runId',
  linkFeatures: 'POST /v1/runs/:runId/features',
  unlinkFeature: 'DELETE /v1/runs/:runId/features/:featureId',

  appendToRun: 'POST /v1/runs/:runId/content',
  readContent: 'GET /v1/runs/:runId/content',
  heartbeat: 'POST /v1/runs/:runId/heartbeat',
  timeline: 'GET /v1/runs/:runId/timeline',

  appendTurn: 'POST /v1/runs/:runId/turns',
  listTurns: 'GET /v1/runs/:runId/turns',
  getTurn: 'GET /v1/runs/:runId/turns/:n',
  listRunFiles: 'GET /v1/runs/:runId/files',
  addDiffs: 'POST /v1/runs/:runId/diff',
  getDiff: 'GET /v1/runs/:runId/diff',

  createSpec: 'POST /v1/specs',
  listSpecs: 'GET /v1/specs',
  getSpec: 'GET /v1/specs/:specId',
  updateSpec: 'PATCH /v1/specs/:specId',
  deleteSpec: 'DELETE /v1/specs/:specId',
  listSpecRuns: 'GET /v1/specs/:specId/runs',
  listSpecVersions: 'GET /v1/specs/:specId/versions',
  getSpecVersion: 'GET /v1/specs/:specId/versions/:version',

  createCheck: 'POST /v1/checks',
  listChecks: 'GET /v1/checks',
  getCheck: 'GET /v1/checks/:checkId',
  updateCheck: 'PATCH /v1/checks/:checkId',
  deleteCheck: 'DELETE /v1/checks/:checkId',

  listAttention: 'GET /v1/attention',
  updateAttention: 'PATCH /v1/attention',

  createFeature: 'POST /v1/features',
  listFeatures: 'GET /v1/features',
  getFeature: 'GET /v1/features/:id',
  updateFeature: 'PATCH /v1/features/:id',
  deleteFeature: 'DELETE /v1/features/:id',
  listFeatureRuns: 'GET /v1/features/:id/runs',

  createProject: 'POST /v1/projects',
  listProjects: 'GET /v1/projects',
  getProject: 'GET /v1/projects/:slug',
  updateProject: 'PATCH /v1/projects/:slug',
  deleteProject: 'DELETE /v1/projects/:slug',

  createKey: 'POST /v1/auth/keys',
  listKeys: 'GET /v1/auth/keys',
  updateKey: 'PATCH /v1/auth/keys/:id',
  revokeKey: 'DELETE /v1/auth/keys/:id',
  me: 'GET /v1/auth/me',
  createLoginCode: 'POST /v1/auth/codes',
  createSession: 'POST /v1/auth/session',
  deleteSession: 'DELETE /v1/auth/session',

  createWebhook: 'POST /v1/webhooks',
  listWebhooks: 'GET /v1/webhooks',
  getWebhook: 'GET /v1/webhooks/:id',
  updateWebhook: 'PATCH /v1/webhooks/:id',
  deleteWebhook: 'DELETE /v1/webhooks/:id',
  testWebhook: 'POST /v1/webhooks/:id/test',
  rotateWebhookSecret: 'POST /v1/webhooks/:id/secret',
  listWebhookDeliveries: 'GET /v1/webhooks/:id/deliveries',

  erase: 'POST /v1/erase',
  forget: 'POST /v1/forget',
  listEvents: 'GET /v1/events',
  getCheckpoint: 'GET /v1/log/checkpoint',
  getProof: 'GET /v1/log/proof',
  getConsistency: 'GET /v1/log/consistency',
  listLeaves: 'GET /v1/log/leaves',
  search: 'GET /v1/search',
  suggest: 'GET /v1/suggestions',
  stats: 'GET /v1/stats',
} as const

export type Name = keyof typeof paths

export const names = Object.keys(paths) as Name[]

/** Input fields that travel as headers. */
export const headerFields = { ifVersion: 'If-Match', leaseToken: 'Lease-Token' } as const

export interface OperationPath {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  path: string
  /** The names of the path's parameters. */
  params: string[]
}

function readAddress(name: Name): OperationPath {
  const [method, path] = paths[name].split(' ') as [OperationPath['method'], string]
  const params = path.match(/(?<=:)\w+/g) ?? []
  // As keys of an object they are names that V8 knows; as substrings they would deoptimise compiled code that uses them
  // as field names.
  return { method, path, params: Object.keys(Object.fromEntries(params.map((param) => [param, true]))) }
}

const addresses = Object.fromEntries(names.map((name) => [name, readAddress(name)])) as Record<Name, OperationPath>

export const addressOf = (name: Name): OperationPath => addresses[name]
