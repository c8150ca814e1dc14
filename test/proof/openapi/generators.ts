/** A generator of TypeScript clients, and a program that uses its client. */
export interface Generator {
  name: string
  /** Files that the generator needs, by name. */
  files?: Record<string, string>
  /** The command in `node_modules/.bin` and its arguments, which reads `../openapi.json`. */
  command: [name: string, ...args: string[]]
  /**
   * Matches the generator's own code, which does not depend on the API, and does not compile with
   * `exactOptionalPropertyTypes`.
   */
  own?: RegExp
  /** The calls of `tour` with the generated client: `create`, `append`, `get`, `list` and `check`. */
  program: string
}

/** The tools and their versions. The proof installs them into a folder of its own. */
export const versions = {
  'openapi-typescript': '7.13.0',
  'openapi-fetch': '0.17.0',
  '@hey-api/openapi-ts': '0.99.0',
  orval: '8.38.0',
  'swagger-typescript-api': '13.13.0',
  typescript: '5.9.3',
  '@types/node': '24.19.2',
}

export const generators: Generator[] = [
  {
    name: 'openapi-typescript',
    command: ['openapi-typescript', '../openapi.json', '--output', 'schema.d.ts'],
    program: `import createClient from 'openapi-fetch'
import type { components, paths } from './schema.js'

type Run = components['schemas']['Run']
type FullRun = components['schemas']['FullRun']
type Check = components['schemas']['Check']

const [, , url = '', key = ''] = process.argv
const client = createClient<paths>({ baseUrl: url, headers: { Authorization: 'Bearer ' + key } })

function dataOf<Data>(answer: { data?: Data; error?: components['schemas']['ErrorAnswer'] }): Data {
  if (answer.data === undefined) throw new Error(answer.error?.error)
  return answer.data
}

const create = async (title: string): Promise<Run> =>
  dataOf(await client.POST('/v1/runs', { body: { title, status: 'in_progress', labels: { team: 'shop' } } })).run
const append = async (runId: string, text: string): Promise<Run> =>
  dataOf(await client.POST('/v1/runs/{runId}/content', { params: { path: { runId } }, body: { text } })).run
const get = async (runId: string): Promise<FullRun> =>
  dataOf(await client.GET('/v1/runs/{runId}', { params: { path: { runId } } })).run
const list = async (): Promise<Run[]> =>
  dataOf(await client.GET('/v1/runs', { params: { query: { status: ['in_progress'], limit: 5 } } })).runs
const check = async (runId: string): Promise<Check> =>
  dataOf(await client.POST('/v1/checks', { body: { runId, result: 'pass' } })).check
`,
  },
  {
    name: '@hey-api/openapi-ts',
    files: {
      'openapi-ts.config.mjs': `export default {
  input: '../openapi.json',
  output: { path: 'generated', module: { extension: '.js' } },
}
`,
    },
    command: ['openapi-ts', '--file', 'openapi-ts.config.mjs'],
    own: /^generated\/(client|core)\//,
    program: `import { client } from './generated/client.gen.js'
import { appendToRun, createCheck, createRun, getRun, listRuns } from './generated/sdk.gen.js'
import type { Check, FullRun, Run } from './generated/types.gen.js'

const [, , url = '', key = ''] = process.argv
client.setConfig({ baseUrl: url, auth: key })

const create = async (title: string): Promise<Run> => {
  const { data } = await createRun({ body: { title, status: 'in_progress', labels: { team: 'shop' } }, throwOnError: true })
  return data.run
}
const append = async (runId: string, text: string): Promise<Run> => {
  const { data } = await appendToRun({ path: { runId }, body: { text }, throwOnError: true })
  return data.run
}
const get = async (runId: string): Promise<FullRun> => {
  const { data } = await getRun({ path: { runId }, throwOnError: true })
  return data.run
}
const list = async (): Promise<Run[]> => {
  const { data } = await listRuns({ query: { status: ['in_progress'], limit: 5 }, throwOnError: true })
  return data.runs
}
const check = async (runId: string): Promise<Check> => {
  const { data } = await createCheck({ body: { runId, result: 'pass' }, throwOnError: true })
  return data.check
}
`,
  },
  {
    name: 'orval',
    files: {
      'orval.config.mjs': `export default {
  conduct: {
    input: '../openapi.json',
    output: { target: 'api.ts', client: 'fetch', mode: 'single', baseUrl: { runtime: "process.argv[2] ?? ''" } },
  },
}
`,
    },
    command: ['orval', '--config', 'orval.config.mjs'],
    program: `import { appendToRun, createCheck, createRun, getRun, listRuns } from './api.js'
import type { Check, FullRun, Run } from './api.js'

const [, , , key = ''] = process.argv
const by: RequestInit = { headers: { Authorization: 'Bearer ' + key } }

const create = async (title: string): Promise<Run> => {
  const answer = await createRun({ title, status: 'in_progress', labels: { team: 'shop' } }, by)
  if (answer.status !== 201) throw new Error(answer.data.error)
  return answer.data.run
}
const append = async (runId: string, text: string): Promise<Run> => {
  const answer = await appendToRun(runId, { text }, by)
  if (answer.status !== 200) throw new Error(answer.data.error)
  return answer.data.run
}
const get = async (runId: string): Promise<FullRun> => {
  const answer = await getRun(runId, by)
  if (answer.status !== 200) throw new Error(answer.data.error)
  return answer.data.run
}
const list = async (): Promise<Run[]> => {
  const answer = await listRuns({ status: ['in_progress'], limit: 5 }, by)
  if (answer.status !== 200) throw new Error(answer.data.error)
  return answer.data.runs
}
const check = async (runId: string): Promise<Check> => {
  const answer = await createCheck({ runId, result: 'pass' }, by)
  if (answer.status !== 201) throw new Error(answer.data.error)
  return answer.data.check
}
`,
  },
  {
    name: 'swagger-typescript-api',
    command: [
      'swagger-typescript-api',
      'generate',
      '--path',
      '../openapi.json',
      '--output',
      '.',
      '--name',
      'api.ts',
      '--generate-union-enums',
    ],
    program: `import { Api } from './api.js'
import type { Check, FullRun, Run } from './api.js'

const [, , url = '', key = ''] = process.argv
const { v1 } = new Api({ baseUrl: url, baseApiParams: { headers: { Authorization: 'Bearer ' + key } } })

const create = async (title: string): Promise<Run> =>
  (await v1.createRun({ title, status: 'in_progress', labels: { team: 'shop' } })).data.run
const append = async (runId: string, text: string): Promise<Run> => (await v1.appendToRun(runId, { text })).data.run
const get = async (runId: string): Promise<FullRun> => (await v1.getRun(runId)).data.run
const list = async (): Promise<Run[]> => (await v1.listRuns({ status: ['in_progress'], limit: 5 })).data.runs
const check = async (runId: string): Promise<Check> => (await v1.createCheck({ runId, result: 'pass' })).data.check
`,
  },
]

/** The end of each program. It makes the calls in a way that only exact types allow, and prints what they return. */
export const tour = `
const run = await create('A generated client')
const grown = await append(run.runId, 'one line\\n')
const { verdict } = await check(run.runId).then(() => get(run.runId))
const whole = await get(run.runId)
const all = await list()
// @ts-expect-error: a run has no such field
const nothing: unknown = whole.nothing
// @ts-expect-error: a status is one of four words
const isPerfect: boolean = whole.status === 'perfect'
const cost: number | undefined = whole.usage?.costUsd
const names: string[] = whole.features.map(({ name }) => name)
console.log(
  JSON.stringify({
    ...{ title: run.title, version: grown.version, verdict, content: whole.content, team: whole.labels['team'] },
    ...{ listed: all.map(({ runId }) => runId), cost, names, nothing, isPerfect },
  }),
)
`
