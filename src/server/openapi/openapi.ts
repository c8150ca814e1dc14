import { z } from 'zod'
import { statusOf } from '../../contract/error.ts'
import { addressOf, type Name, names } from '../../contract/paths.ts'
import { tokenHeader } from '../exchange.ts'
import { pathsBeside, schemasBeside, webhookMessages } from './beside.ts'
import { headers, type OpenApi, type OpenApiSchema } from './document.ts'
import { failureResponses, operationOf } from './operation.ts'
import { componentsOf, createNaming, issue, schemaOf } from './schema.ts'

const errorSchema = z.object({
  error: z.string().describe('What is wrong, with the value, and what to do'),
  code: z.enum(Object.keys(statusOf)),
  requestId: z.string().describe('Identifies the request in the log of the server'),
  issues: z.array(issue).optional().describe('Only for VALIDATION_ERROR'),
  firstSeq: z.int().optional().describe('Only for EVENTS_DROPPED: the oldest event of the log'),
})

const about = `The ledger of what coding agents did.

Within /v1, responses may gain fields, enumerations and event types may gain values, and lists may gain kinds of entries: ignore what you do not know. Bodies are closed: the server refuses unknown fields. Nothing is removed or renamed before releases have returned the headers Deprecation and Sunset with it for six months.`

/** The groups of operations, by the second segment of their paths. */
const tags: Record<string, string> = {
  runs: 'The work of agents, with its turns and features',
  specs: 'The plans for the work',
  checks: 'Evidence that the work holds up',
  attention: 'Runs that somebody should look at',
  features: 'The parts of the code base that the work touched',
  projects: 'Separate parts of a ledger',
  auth: 'Keys and sessions',
  erase: 'Removing texts for good',
  forget: 'Removing what projects no longer keep',
  webhooks: 'Sending events to other programs',
  events: 'Every change in order',
  export: 'The whole ledger as a file',
  hooks: 'What coding agents report themselves',
  log: 'Proofs that nobody rewrote the log',
  search: 'Finding everything by words',
  suggestions: 'Values to filter runs by',
  stats: 'Sums over runs',
}

/** The API as OpenAPI 3.1, generated from the table of operations. `answers` are example responses. */
export function openapi(version: string, answers: Partial<Record<Name, unknown>>): OpenApi {
  const named = createNaming()
  const parts: Record<string, OpenApiSchema> = {}
  const paths: OpenApi['paths'] = {}
  for (const name of names) {
    const { method, path } = addressOf(name)
    const template = path.replace(/:(\w+)/g, '{$1}')
    paths[template] = { ...paths[template], [method.toLowerCase()]: operationOf(name, answers[name], { named, parts }) }
  }
  const schemas = Object.entries(componentsOf()).map(([name, schema]) => [name, named.inside(schema)])
  return {
    openapi: '3.1.1',
    info: {
      title: 'Conduct',
      version,
      description: about,
      contact: { name: 'The Conduct project' },
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/conduct' }],
    security: [{ key: [] }, { session: [], token: [] }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths: { ...paths, ...pathsBeside },
    webhooks: webhookMessages,
    components: {
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'A key: sk_<role>_<43 characters>' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'conduct_session_3000',
          description:
            'The cookie of createSession. Its name ends in the port of the server; a write also needs Sec-Fetch-Site: same-origin',
        },
        token: {
          type: 'apiKey',
          in: 'header',
          name: tokenHeader,
          description: 'The token of createSession, without which its cookie does not count',
        },
      },
      headers,
      responses: failureResponses(),
      // Not `Error`, a name that many languages already use.
      schemas: {
        ...Object.fromEntries(schemas),
        ...parts,
        ...schemasBeside,
        ErrorAnswer: named.inside(schemaOf(errorSchema, 'output')),
      },
    },
  }
}
