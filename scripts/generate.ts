import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createClient } from '../src/client/client.ts'
import { localActor } from '../src/contract/actor.ts'
import { addressOf, type Name, names } from '../src/contract/paths.ts'
import { openStore } from '../src/operations/open.ts'
import { exampleKey, routes } from '../src/operations/routes.ts'
import { createApp } from '../src/server/app.ts'
import { curlOf, typeOf } from '../src/server/handlers/docs.ts'
import { bodySchemaOf, type OpenApi, type OpenApiOperation } from '../src/server/openapi/document.ts'
import { openapi } from '../src/server/openapi/openapi.ts'
import { cliReference } from './cli-reference.ts'
import { schemaSql } from './schema-sql.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

/** Operations in the order in which their examples work: creating first, deleting last, parents before children. */
const methods = ['POST', 'PATCH', 'GET', 'DELETE']
const ranks = new Map(names.map((name) => [name, rankOf(name)]))
export const inOrder = [...names].sort((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0))

function rankOf(name: Name): number {
  const { method, path } = addressOf(name)
  return methods.indexOf(method) * 1000 - (method === 'DELETE' ? path.length : 0)
}

/** The receiver of the examples does not exist, with or without a network. */
const unknownHost = () => Promise.reject(Object.assign(new Error('no such host'), { code: 'ENOTFOUND' }))

/** The responses to the examples of the table on an empty ledger, with a clock that advances a second per call. */
async function answers(): Promise<Partial<Record<Name, unknown>>> {
  let now = Date.parse('2026-01-31T09:30:00.000Z')
  const store = await openStore('sqlite::memory:', { now: () => now })
  const app = createApp({ store, actor: localActor, basePath: '', webhooks: { resolve: unknownHost } })
  const client = createClient({ url: 'http://localhost', fetch: (request) => app.fetch(request), attempts: 1 })
  const found: Partial<Record<Name, unknown>> = {}
  for (const name of inOrder) {
    now += 1000
    const call = client[name] as (input: unknown) => Promise<unknown>
    const example = JSON.stringify(routes[name].example).replace(exampleKey, store.newSecret ?? '')
    found[name] = maskSecrets(await call(JSON.parse(example)))
  }
  await store.close()
  return found
}

const maskSecrets = (answer: unknown) =>
  JSON.parse(
    JSON.stringify(answer)
      .replace(/(sk_[a-z]+_|code_|page_)[0-9A-Za-z]{43}/g, `$1${'x'.repeat(43)}`)
      .replace(/(sk_[a-z]+_)[0-9A-Za-z]{4}"/g, '$1xxxx"')
      // Each ledger has its own origin, key and salts.
      .replace(/conduct\/[0-9a-f-]{36}/g, 'conduct/00000000-0000-4000-8000-000000000000')
      .replace(/\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}/g, `+00000000+${'x'.repeat(44)}`)
      .replace(/(nextra |"salts":")[A-Za-z0-9+/]+={0,2}/g, `$1${'x'.repeat(22)}==`)
      .replace(/(— \S+ )[A-Za-z0-9+/]+={0,2}/g, `$1${'x'.repeat(90)}==`)
      .replace(/(?<=["\\]|\\n)[A-Za-z0-9+/]{43}=/g, `${'x'.repeat(43)}=`)
      .replace(/whsec_[0-9A-Za-z+/]{43}=/g, `whsec_${'x'.repeat(43)}=`)
      .replace(
        /msg_[0-9a-f]{18}(_test_)?[0-9a-f]*/g,
        (_, test = '') => `msg_${'x'.repeat(18)}${test}${test && 'x'.repeat(12)}`,
      )
      .replace(/"durationMs":\d+,"at"/g, '"durationMs":1,"at"'),
  )

/** The generated files, by their paths in the repository. */
export async function generate(): Promise<Record<string, string>> {
  const document = openapi(version, await answers())
  return {
    'openapi.json': `${JSON.stringify(document, null, 2)}\n`,
    'docs/api.md': reference(document),
    'docs/cli.md': await cliReference(),
    'docs/schema.sql': await schemaSql(),
  }
}

function reference(document: OpenApi): string {
  const sections = names.map((name) => {
    const { method, path } = addressOf(name)
    const template = path.replace(/:(\w+)/g, '{$1}')
    const operation = document.paths[template]?.[method.toLowerCase()] as OpenApiOperation
    return section(document, method, template, operation)
  })
  return `# API

\`npm run generate\` generates this page from \`src/operations/routes.ts\`; do not edit it. Addresses are relative to the base
path, \`/conduct\` by default. [Conventions](conventions.md) describes what all operations have in common: errors, pages,
versions, idempotency and limits. Each request builds on those before it: they work from top to bottom without the
deletions, and then the deletions from bottom to top. The responses are those of a ledger that got all POST requests first,
then PATCH, GET and DELETE.

${sections.join('\n')}`
}

function section(document: OpenApi, method: string, path: string, operation: OpenApiOperation): string {
  const answer = Object.values(operation.responses)[0]?.content?.['application/json']?.example
  return `## ${operation.operationId}

\`${method} ${path}\`. ${operation.summary}. ${operation.description}

${fields(document, operation)}
\`\`\`sh
${curlOf(method, `/conduct${path}`, operation)}
\`\`\`

\`\`\`json
${JSON.stringify(answer, null, 2)}
\`\`\`
`
}

function fields(document: OpenApi, operation: OpenApiOperation): string {
  const { parameters } = operation
  const body = bodySchemaOf(document, operation)
  const rows = [
    ...parameters
      .filter(({ name }) => name !== 'X-Project-ID' && name !== 'Idempotency-Key')
      .map(({ name, in: place, required, description, schema }) => [
        name,
        place,
        required,
        typeOf(document, schema),
        description ?? '',
      ]),
    ...Object.entries(body?.properties ?? {}).map(([name, schema]) => [
      name,
      'body',
      body?.required?.includes(name),
      typeOf(document, schema),
      schema.description ?? '',
    ]),
  ]
  if (rows.length === 0) return ''
  const lines = rows.map(
    ([name, place, required, type, description]) =>
      `| \`${name}\`${required ? ' (required)' : ''} | ${place} | ${type} | ${description} |`,
  )
  return `| field | in | type | |\n|---|---|---|---|\n${lines.join('\n')}\n`
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(await generate())) {
    writeFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), text)
  }
}
