/** Every operation of the API and its address below the base path. */
export const paths = {
  createRun: 'POST /v1/runs',
  listRuns: 'GET /v1/runs',
  getRun: 'GET /v1/runs/:runId',
  updateRun: 'PATCH /v1/runs/:runId',
  deleteRun: 'DELETE /v1/runs/:runId',
  linkFeatures: 'POST /v1/runs/:runId/features',
  unlinkFeature: 'DELETE /v1/runs/:runId/features/:featureId',

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

  createKey: 'POST /v1/auth/keys',
  listKeys: 'GET /v1/auth/keys',
  revokeKey: 'DELETE /v1/auth/keys/:id',
  me: 'GET /v1/auth/me',

  listEvents: 'GET /v1/events',
} as const

export type Name = keyof typeof paths

export const names = Object.keys(paths) as Name[]

/** Input fields that travel as headers. */
export const headerFields = { ifVersion: 'If-Match' } as const

export interface Address {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  path: string
  /** The names of the path's parameters. */
  params: string[]
}

export function addressOf(name: Name): Address {
  const [method, path] = paths[name].split(' ') as [Address['method'], string]
  return { method, path, params: path.match(/(?<=:)\w+/g) ?? [] }
}
