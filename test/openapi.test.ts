import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Validator } from '@seriousme/openapi-schema-validator'
import { generate } from '../scripts/generate.ts'
import { addressOf, names } from '../src/contract/paths.ts'
import { statuses } from '../src/nouns/run/state.ts'
import { signedHeaders } from '../src/nouns/webhook/rules.ts'
import { openStore } from '../src/operations/open.ts'
import { createApp } from '../src/server/app.ts'
import type { Exchange } from '../src/server/exchange.ts'
import { docsHandler } from '../src/server/handlers/docs.ts'
import type { OpenApiSchema } from '../src/server/openapi/document.ts'
import { answerFault, document, faultOf, operationOf, responseOf } from './support/described.ts'
import { engines, openLedger } from './support/engines.ts'

test('openapi.json is valid OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate({ ...document })
  assert.ok(valid, JSON.stringify(errors))
  assert.match(document.openapi, /^3\.1\./)
})

test('every operation is described once, with its parameters', () => {
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => [operationId, `${method.toUpperCase()} ${path}`]),
  )
  const wanted = names.map((name) => {
    const { method, path } = addressOf(name)
    return [name, `${method} ${path.replace(/:(\w+)/g, '{$1}')}`]
  })
  wanted.push(['exportLedger', 'GET /v1/export'], ['sendHook', 'POST /v1/hooks/{agent}'])
  assert.deepEqual(described.sort(), wanted.sort())
  for (const name of names) {
    const inPath = operationOf(name).parameters.filter((parameter) => parameter.in === 'path')
    assert.deepEqual(
      inPath.map((parameter) => [parameter.name, parameter.required]),
      addressOf(name).params.map((param) => [param, true]),
    )
  }
})

test('every example matches its schema', () => {
  for (const name of names) {
    const { parameters, requestBody, responses } = operationOf(name)
    for (const { name: parameter, schema, example } of parameters) {
      if (example !== undefined) assert.equal(faultOf(schema, example), undefined, `${name} ${parameter}`)
    }
    const body = requestBody?.content['application/json']
    if (body) assert.equal(faultOf(body.schema, body.example), undefined, `${name} body`)
    const examples = Object.keys(responses).flatMap((status) => {
      const example = responseOf(name, Number(status))?.content?.['application/json']?.example
      return example === undefined ? [] : [answerFault(name, Number(status), example)]
    })
    assert.ok(examples.length > 0, `${name} has no example of an answer`)
    for (const fault of examples) assert.equal(fault, undefined, name)
  }
})

test('the description has what generators and readers need', () => {
  const { components, tags, paths } = document
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods))
  const known = tags.map(({ name }) => name)
  for (const { operationId, tags, parameters, requestBody, responses } of operations) {
    assert.ok(tags.length === 1 && known.includes(tags[0] ?? ''), `${operationId} has a tag`)
    for (const { name, description } of parameters) assert.ok(description, `${operationId} ${name} is described`)
    const body = requestBody?.content['application/json'].schema
    if (['exportLedger', 'sendHook'].includes(operationId)) continue
    if (body) assert.match(body.$ref ?? '', /Body$/, `${operationId} has a body with a name`)
    for (const { content, headers } of Object.values(responses).filter(({ $ref }) => !$ref)) {
      assert.match(
        content?.['application/json']?.schema.$ref ?? '',
        /Answer$/,
        `${operationId} has an answer with a name`,
      )
      assert.ok(headers?.['X-Request-Id'], `${operationId} has headers`)
    }
  }
  const { headers } = operationOf('createRun').responses[201] ?? {}
  assert.ok(headers?.ETag && headers.Location && headers['Idempotent-Replayed'])
  assert.ok(operationOf('listRuns').responses[200]?.headers?.Link)
  assert.ok(operationOf('listEvents').responses[200]?.content?.['text/event-stream'])
  assert.ok(!('Error' in components.schemas), 'Error is a word of many languages')
  const text = JSON.stringify(document)
  assert.equal(text.split(`"enum":${JSON.stringify(statuses)}`).length, 2, 'an enumeration is written once')
  assert.ok(!text.includes('prefixItems'), 'tuples are not understood by most readers')
})

test('bodies are closed, and responses are open to the fields of later versions', () => {
  const { schemas, responses } = document.components
  const refsIn = (schema: unknown) =>
    [...JSON.stringify(schema ?? null).matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name as string)
  const reached = (from: unknown, seen = new Set<string>()): Set<string> => {
    for (const name of refsIn(from).filter((name) => !seen.has(name))) reached(schemas[name], seen.add(name))
    return seen
  }
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods))
  const told = reached([operations.map((operation) => operation.responses), responses])
  const asked = reached(operations.map(({ requestBody }) => requestBody))
  const isClosed = (name: string) => JSON.stringify(schemas[name]).includes('"additionalProperties":false')
  const isObject = (name: string) => schemas[name]?.properties !== undefined
  assert.deepEqual([...told].filter(isClosed), [])
  assert.deepEqual(
    [...asked].filter((name) => isObject(name) && schemas[name]?.additionalProperties !== false),
    [],
  )
  const used = reached([document.paths, document.webhooks, responses])
  assert.deepEqual(
    Object.keys(schemas).filter((name) => !used.has(name)),
    [],
  )
})

test('what is beside the JSON of the operations is described, too', async (t) => {
  const { client, store, adminKey } = await openLedger(t, engines[0] ?? assert.fail())
  assert.deepEqual(operationOf('listRuns')['x-csv'], ['runs'])
  assert.ok(
    operationOf('listEvents').parameters.some(({ name, in: place }) => name === 'Last-Event-ID' && place === 'header'),
  )
  const { get } = document.paths['/v1/export'] ?? {}
  assert.deepEqual(
    get?.parameters.map(({ name }) => name),
    ['withKeys'],
  )
  assert.ok(get?.responses[200]?.content?.['application/x-ndjson'])
  const { post } = document.paths['/v1/hooks/{agent}'] ?? {}
  const example = post?.requestBody?.content['application/json'].example
  const app = createApp({ store })
  const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' }
  const init = { method: 'POST', headers, body: JSON.stringify(example) }
  const response = await app.fetch(new Request('http://localhost/conduct/v1/hooks/claude', init))
  assert.ok(post?.responses[response.status], String(response.status))
  assert.equal((await client.listRuns()).runs[0]?.title, 'Fix the login', 'the example records a run')
  // What a webhook receives.
  const { requestBody, parameters } = document.webhooks.message?.post ?? assert.fail()
  await client.createRun({ runId: 'A' })
  const { events } = await client.listEvents()
  const message = { type: 'events', timestamp: events[0]?.at, data: { webhookId: 1, events } }
  assert.equal(faultOf(requestBody?.content['application/json'].schema ?? {}, message), undefined)
  assert.deepEqual(
    parameters.map(({ name }) => name),
    Object.keys(signedHeaders('x', new Date().toISOString(), '', [])),
  )
})

test('every field of every schema is described', () => {
  const bare: string[] = []
  const look = (at: string, schema: OpenApiSchema) => {
    for (const [field, one] of Object.entries(schema.properties ?? {})) {
      if (one.description === undefined && one.$ref === undefined) bare.push(`${at}.${field}`)
      look(`${at}.${field}`, one)
    }
    for (const one of [schema.items, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) if (one) look(at, one)
  }
  for (const [name, schema] of Object.entries(document.components.schemas)) look(name, schema)
  assert.deepEqual(bare, [])
})

test('the test notices an undocumented field or status', () => {
  const me = { key: null, permissions: ['admin'], person: null, machine: null }
  assert.equal(answerFault('me', 200, me), undefined)
  assert.match(answerFault('me', 200, { ...me, extra: 1 }) ?? '', /additional properties/)
  assert.match(answerFault('me', 200, { key: null }) ?? '', /permissions/)
  assert.match(answerFault('me', 201, me) ?? '', /not a documented status/)
})

test('the generated files are up to date', async () => {
  for (const [path, text] of Object.entries(await generate())) {
    const committed = readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')
    assert.ok(committed === text, `${path} is stale: run npm run generate`)
  }
})

for (const basePath of ['/conduct', '/a/b', '']) {
  test(`the server serves the description under '${basePath}'`, async (t) => {
    const store = await openStore('sqlite::memory:')
    t.after(() => store.close())
    const app = createApp({ store, basePath })
    const api = await (await app.fetch(new Request(`http://localhost${basePath}/openapi.json`))).json()
    assert.deepEqual(api, { ...document, servers: [{ url: basePath || '/' }] })
    assert.ok((await new Validator().validate(api)).valid)
  })
}

test('requests that ask for the page of the API at once share its bytes', async () => {
  const { answer } = docsHandler('/conduct')
  const asked = {} as Exchange
  const [one, other] = await Promise.all([answer(asked), answer(asked)])
  assert.ok(one.body === other.body)
})

test('the page of the API loads nothing from elsewhere, runs no script and lists every operation', async (t) => {
  const store = await openStore('sqlite::memory:')
  t.after(() => store.close())
  const response = await createApp({ store }).fetch(new Request('http://localhost/conduct/docs'))
  assert.match(response.headers.get('content-type') ?? '', /^text\/html/)
  assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/)
  const page = await response.text()
  assert.doesNotMatch(page, /<(script|iframe|object|embed|img|link|base|form)\b|\son\w+=|javascript:|@import|url\(/i)
  const addresses = [...page.matchAll(/(?:src|href|action)="([^"]*)"/g)].map(([, address]) => address ?? '')
  assert.deepEqual(
    addresses.filter((address) => !/^(#|\/conduct\/)/.test(address)),
    [],
  )
  for (const name of names) {
    const { method, path } = addressOf(name)
    assert.ok(
      page.includes(`id="${name}"`) && page.includes(`${method} /conduct${path.replace(/:(\w+)/g, '{$1}')}`),
      name,
    )
    assert.ok(addresses.includes(`#${name}`), name)
  }
})
