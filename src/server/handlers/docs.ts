import { html, raw } from 'hono/html'
import {
  bodySchemaOf,
  type OpenApi,
  type OpenApiOperation,
  type OpenApiSchema,
  readOpenapi,
  resolved,
} from '../openapi/document.ts'
import type { Handler } from './handler.ts'

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
h2{margin-top:3rem}code,pre{font:14px/1.5 ui-monospace,monospace}pre{overflow:auto;padding:.75rem;border:1px solid #8886;border-radius:6px}
table{border-collapse:collapse;width:100%}td,th{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid #8883}
nav{columns:16rem}nav a{display:block}`

/** Serves the OpenAPI document. All responses share the same bytes, so that clients that do not read cost no memory. */
export function openapiHandler(basePath: string): Handler {
  let bytes: Uint8Array<ArrayBuffer> | undefined
  return {
    label: 'openapi',
    methods: ['GET'],
    paths: [`${basePath}/openapi.json`],
    async answer() {
      bytes ??= encoder.encode(JSON.stringify(readOpenapi(basePath)))
      return { status: 200, headers: {}, body: bytes }
    },
  }
}

/** Serves the API reference as one page, which is written once, however many ask for it meanwhile. */
export function docsHandler(basePath: string): Handler {
  let bytes: Promise<Uint8Array<ArrayBuffer>> | undefined
  return {
    label: 'docs',
    methods: ['GET'],
    paths: [`${basePath}/docs`],
    async answer() {
      bytes ??= Promise.resolve(docsPage(readOpenapi(basePath))).then((page) => encoder.encode(String(page)))
      return { status: 200, headers, body: await bytes }
    },
  }
}

const encoder = new TextEncoder()

/** The page runs no scripts and loads nothing. */
const headers = {
  'content-type': 'text/html; charset=UTF-8',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
}

/** The API on one page that needs no network. */
function docsPage(api: OpenApi) {
  const base = api.servers[0]?.url ?? ''
  const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Conduct API</title>
<style>${raw(style)}</style></head><body>
<h1>Conduct API ${api.info.version}</h1>
<p>${api.info.description} Send a key with every request: <code>Authorization: Bearer sk_…</code>.
The same as a file for tools: <a href="${base}/openapi.json">openapi.json</a>.</p>
<nav>${operations.map(({ operation }) => html`<a href="#${operation.operationId}">${operation.operationId}</a>`)}</nav>
${operations.map((one) => section(api, one.method, base + one.path, one.operation))}
</body></html>`
}

function section(api: OpenApi, method: string, path: string, operation: OpenApiOperation) {
  const body = bodySchemaOf(api, operation)
  const fields = [
    ...operation.parameters.map(({ name, in: place, required, description, schema }) => ({
      name,
      place,
      required,
      description,
      schema,
    })),
    ...Object.entries(body?.properties ?? {}).map(([name, schema]) => ({
      name,
      place: 'body',
      required: body?.required?.includes(name),
      description: schema.description,
      schema,
    })),
  ]
  const [answer] = Object.values(operation.responses)
  return html`<h2 id="${operation.operationId}">${operation.operationId}</h2>
<p><code>${method} ${path}</code><br>${operation.summary}. ${operation.description}</p>
<table><tr><th>Field</th><th>In</th><th>Type</th><th></th></tr>${fields.map(
    ({ name, place, required, description, schema }) =>
      html`<tr><td><code>${name}</code>${required ? ' (required)' : ''}</td><td>${place}</td><td>${typeOf(api, schema)}</td><td>${description ?? ''}</td></tr>`,
  )}</table>
<pre>${curlOf(method, path, operation)}</pre>
<pre>${JSON.stringify(answer?.content?.['application/json']?.example, null, 2)}</pre>`
}

/** A JSON Schema in a few words. */
export function typeOf(api: OpenApi, schema: OpenApiSchema): string {
  const { type, const: value, enum: values, items, anyOf, properties } = resolved(api, schema)
  const inner = (one: OpenApiSchema) => typeOf(api, one)
  if (value !== undefined) return String(value)
  if (values) return values.join(' · ')
  if (anyOf) return anyOf.map(inner).join(' or ')
  if (items) return `list of ${inner(items)}`
  if (properties) return `{ ${Object.keys(properties).join(', ')} }`
  return [type ?? 'any'].flat().join(' or ')
}

/** The example of an operation as a command for the shell, with the key in $CONDUCT_API_KEY. */
export function curlOf(
  method: string,
  path: string,
  { parameters, requestBody, responses, security }: OpenApiOperation,
): string {
  const given = parameters.filter(({ example }) => example !== undefined)
  const address = given
    .filter((parameter) => parameter.in === 'path')
    .reduce((url, { name, example }) => url.replace(`{${name}}`, String(example)), `http://localhost:3000${path}`)
  const query = new URLSearchParams(
    given
      .filter((parameter) => parameter.in === 'query')
      .flatMap(({ name, example }) => [example].flat().map((value): [string, string] => [name, String(value)])),
  ).toString()
  const body = requestBody?.content['application/json'].example
  const isText = Object.values(responses)[0]?.content?.['text/plain'] !== undefined
  return [
    `curl${method === 'GET' ? '' : ` -X ${method}`}${security ? '' : ' -H "Authorization: Bearer $CONDUCT_API_KEY"'}`,
    ...(isText ? ['-H "Accept: application/json"'] : []),
    ...(body === undefined ? [] : ['-H "Content-Type: application/json"', `-d '${JSON.stringify(body)}'`]),
    query === '' ? address : `"${address}?${query}"`,
  ].join(' \\\n  ')
}
