import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { numberOf } from '../src/contract/id.ts'
import { masked } from '../src/contract/secret.ts'
import { snippetOf } from '../src/find/snippet.ts'
import { continuation, endsInWord, termsOf, wordsOf } from '../src/find/words.ts'
import { decodeCursor, decodeHit } from '../src/frame/page.ts'
import { numberOfName } from '../src/nouns/feature/name.ts'
import { checklistOf } from '../src/nouns/spec/fields.ts'
import { openStore } from '../src/operations/open.ts'
import { createApp } from '../src/server/app.ts'
import { hasMoreValues } from '../src/server/body.ts'
import { acceptsGzip } from '../src/server/handlers/page.ts'
import { line } from '../src/text/clean.ts'
import { titleOf } from '../src/text/title.ts'
import { size } from './proof/size.ts'
import { assertLinear, mebibyte, type Shape } from './support/linear.ts'
import { adminKey } from './support/server.ts'

/** Texts that begin like a valid one, go on with what may slow their parser down, and end wrong. */
function shapesOf(beginning: string, ...repeated: string[]): Shape[] {
  return ['a', ' ', 'a.', '/', '%41', ...repeated].map((unit) => (length) => {
    return `${beginning}${unit.repeat((length - beginning.length - 1) / unit.length)}!`
  })
}

const readers: Record<string, [read: (text: string) => unknown, shapes: Shape[]]> = {
  masked: [masked, shapesOf('', 'sk_', 'sk_admin_', 'session_', `code_${'x'.repeat(42)} `, 'sk_aaaaaa_aaaa')],
  acceptsGzip: [acceptsGzip, shapesOf('gzip', 'gzip', 'gzip ', 'gzip;q=0', 'gzip;q=0.', ';q=0.0 ')],
  decodeCursor: [quietly((text) => decodeCursor('desc', text)), shapesOf('ZGVz', 'ZGVz')],
  decodeHit: [quietly(decodeHit), shapesOf('aGVhZCAx', 'MTEx')],
  checklistOf: [
    checklistOf,
    shapesOf('', '- [ ] ', '1', '- [x', '\n', ' \n', '\t- ', '`', '\n~~~', '\n<!--', '\n- a\nb', '```a', '#'),
  ],
  numberOf: [(text) => numberOf('run', text), shapesOf('RUN-', '1')],
  numberOfName: [numberOfName, shapesOf('feature-', '1')],
  snippetOf: [(text) => snippetOf(text, ['aa', 'b']), shapesOf('', 'ab', 'aa ')],
  titleOf: [titleOf, shapesOf('# a', '#', '# ', '\t', '\n', ' \n', '\n#', '\n# ', '\n```', '`', '~', '😀')],
  'titleOf without a heading': [
    titleOf,
    shapesOf('', '#', '\n', ' \n', '\n#', '\n```\n# a', `-a${' '.repeat(10_000)}b\n`),
  ],
  wordsOf: [wordsOf, shapesOf('', '1.', 'a/', 'a/b.', 'aB', 'é-', 'a\u0301', '😀', '.')],
  termsOf: [termsOf, shapesOf('', '1.', 'a/', 'aB', 'é-', '"', '.')],
  hasMoreValues: [
    (text) => hasMoreValues(Buffer.from(text), Number.MAX_SAFE_INTEGER),
    shapesOf('', '"', '\\', '"\\', '[', ','),
  ],
  endsInWord: [endsInWord, shapesOf('', 'é', '-')],
  continuation: [continuation, shapesOf('', 'é', '-')],
  line: [
    line,
    shapesOf('', '\x1b[', '\x1b]', '\x1b[1;', '\x1bP', '\x9d', '\x1b ', '\x9b', '\r\n', '\r', '\u202e', ' \n'),
  ],
}

function quietly(read: (text: string) => unknown) {
  return (text: string) => assert.throws(() => read(text))
}

for (const [name, [read, shapes]] of Object.entries(readers)) {
  test(`${name} reads 1 MiB of any text in linear time`, () => assertLinear(shapes, read))
}

let fetch: (path: string, init?: RequestInit) => Promise<Response>

let close: () => Promise<void>
after(() => close())

before(async () => {
  const store = await openStore('sqlite::memory:', { adminKey })
  const webFolder = mkdtempSync(join(tmpdir(), 'conduct-page-'))
  writeFileSync(join(webFolder, 'index.html'), '<!doctype html>'.repeat(100))
  const app = createApp({ store, rateLimit: 0, corsOrigins: ['https://app.example'], webFolder })
  fetch = async (path, init) => app.fetch(new Request(`http://localhost${path}`, init))
  close = async () => {
    rmSync(webFolder, { recursive: true })
    await store.close()
  }
})

/** Asserts that the request gets a response without a 5xx status. */
async function answered(path: string, init?: RequestInit) {
  const response = await fetch(path, init)
  const text = await response.text()
  assert.ok(response.status < 500, `${response.status} ${text.slice(0, 200)}`)
  if (response.status >= 400) assert.ok(text.length < 10_000, `${text.length} characters of ${text.slice(0, 200)}`)
}

/** The length of requests. Time that grows with the square of the length shows at the small size, too. */
const longest = size(mebibyte / 4, mebibyte)
const long = `${longest / 1024} KiB`
const assertAnswered = (shapes: Shape[], ask: (text: string) => Promise<void>) => assertLinear(shapes, ask, longest)

const bearer = { authorization: `Bearer ${adminKey}` }
const json = { ...bearer, 'content-type': 'application/json' }

/** A header, a request whose handler reads it, and texts that may slow that handler down. */
const headers: [name: string, path: string, init: { method?: string; headers?: object }, shapes: Shape[]][] = [
  ['authorization', '/conduct/v1/runs', { headers: {} }, shapesOf('Bearer ', 'Bearer ', ' a')],
  ['authorization', '/conduct/mcp', { method: 'POST', headers: {} }, shapesOf('Bearer ', 'Bearer ', ' a')],
  ['cookie', '/conduct/v1/runs', { headers: {} }, shapesOf('conduct_session_default=', '; a=b', ';', '=', '%E0', '"')],
  ['x-request-id', '/conduct/v1/runs', {}, shapesOf('', '!')],
  ['x-project-id', '/conduct/v1/runs', {}, shapesOf('')],
  ['accept', '/conduct/v1/events', {}, shapesOf('text/event-strea', 'text/event-')],
  ['accept', '/conduct/', {}, shapesOf('text/htm', 'text/html,')],
  ['accept-encoding', '/conduct/', {}, shapesOf('gzip;q=0', 'gzip;q=0', 'gzip ')],
  ['if-none-match', '/conduct/', {}, shapesOf('', 'W/"a",', ',')],
  ['last-event-id', '/conduct/v1/events', { headers: { ...bearer, accept: 'text/event-stream' } }, shapesOf('1', '1')],
  ['if-match', '/conduct/v1/runs/RUN-001', { method: 'PATCH' }, shapesOf('"1-1"', '"1-1",', 'W/', ',', '"')],
  ['lease-token', '/conduct/v1/runs/RUN-001', { method: 'PATCH' }, shapesOf('', '!')],
  ['idempotency-key', '/conduct/v1/runs', { method: 'POST' }, shapesOf('', '!')],
  [
    'content-type',
    '/conduct/v1/runs',
    { method: 'POST' },
    shapesOf('application/json', ';', '; charset=', 'application/'),
  ],
  ['content-length', '/conduct/v1/runs', { method: 'POST' }, shapesOf('', '1')],
  ['origin', '/conduct/v1/runs', {}, shapesOf('https://', 'https://', ':')],
  ['origin', '/conduct/mcp', { method: 'POST' }, shapesOf('http://localhost', 'http://', ':')],
  ['host', '/conduct/mcp', { method: 'POST' }, shapesOf('localhost', '[::', ':')],
  ['sec-fetch-site', '/conduct/v1/auth/session', { method: 'POST' }, shapesOf('same-origi')],
]

for (const [name, path, init, shapes] of headers) {
  test(`the header ${name} may be ${long} long at ${path}`, () =>
    assertAnswered(shapes, (text) =>
      answered(path, { ...init, headers: { ...json, ...init.headers, [name]: text.trim() } }),
    ))
}

const paths = ['/', '/conduct', '/conduct/', '/conduct/v1/', '/conduct/v1/runs/', '/conduct/assets/']
const steps = ['.x', 'x/', '/v1', '/runs', '../', './', '%2e%2e/', '%E0%A4%A', 'features/', ':runId/', '//']

for (const path of paths) {
  test(`the path ${path} may be ${long} long`, () =>
    assertAnswered(shapesOf(path, ...steps), async (text) => {
      await answered(text, { headers: { ...bearer, accept: 'text/html' } })
      await answered(text, { method: 'PUT', headers: bearer })
    }))
}

for (const path of ['/conduct/v1/runs', '/conduct/v1/events', '/conduct/v1/search', '/conduct/v1/stats', '/']) {
  test(`the query of ${path} may be ${long} long`, () =>
    assertAnswered(
      shapesOf(`${path}?label=`, '&label=a', '&a', '&x=', ':', '=', '+', '&limit=1', '&status=failed'),
      (text) => answered(text, { headers: bearer }),
    ))
}

const textFields: [path: string, ...fields: string[]][] = [
  ['/conduct/v1/runs', 'cursor', 'createdAfter', 'specId', 'agent', 'featureId', 'limit'],
  ['/conduct/v1/search', 'q', 'cursor', 'type'],
  ['/conduct/v1/features', 'q', 'file'],
  ['/conduct/v1/events', 'after', 'subject'],
]

for (const [path, ...fields] of textFields) {
  test(`the query parameters of ${path} may be ${long} long`, async () => {
    for (const field of fields) {
      const shapes = shapesOf(`${path}?${field}=2026-01-31T09:30:00.`, '0', 'aA', '%2B')
      await assertAnswered(shapes, (text) => answered(text, { headers: bearer }))
    }
  })
}

/** How bodies begin on the wire. */
const bodies = [
  '',
  '{"title":"',
  '{"status":"',
  '{"runId":"',
  '{"git":{"commit":"',
  '{"labels":{"',
  '{"links":[',
  '{"key":"',
]
const pieces = ['[', '{"a":', '"a":1,', '1,', '[],', '{},', '"a":"b",', '\\u0000', '\\ud800', '"', '\\', 'sk_']

for (const beginning of bodies) {
  test(`a body may begin with ${beginning || 'anything'} and be ${long} long`, async () => {
    for (const path of ['/conduct/v1/auth/session', '/conduct/v1/runs', '/conduct/v1/hooks/claude', '/conduct/mcp']) {
      await assertAnswered(shapesOf(beginning, ...pieces), (body) =>
        answered(path, { method: 'POST', headers: json, body }),
      )
    }
  })
}

/** As many items as fit into a text of that length, each of about `width` characters. */
const items = (length: number, width: number, item: (n: number) => string) =>
  Array.from({ length: Math.floor(length / width) }, (_, n) => item(n)).join(',')

test(`lists and objects of ${long} get a response in linear time`, () => {
  const shapes: Shape[] = [
    (length) => `{"featureIds":[${items(length, 2, () => '1')}]}`,
    (length) => `{"featureIds":[${items(length, 3, () => '""')}]}`,
    (length) => `{"labels":{${items(length, 16, (n) => `"l${n}":"${n}"`)}}}`,
    (length) => `{${items(length, 15, (n) => `"x${n}":${n}`)}}`,
    (length) => `{"git":{${items(length, 15, (n) => `"x${n}":${n}`)}}}`,
    (length) => `{"links":[${items(length, 10, () => '{"rel":1}')}]}`,
  ]
  return assertAnswered(shapes, async (body) => {
    await answered('/conduct/v1/runs', { method: 'POST', headers: json, body })
    await answered('/conduct/v1/runs/RUN-001/features', { method: 'POST', headers: json, body })
  })
})

test('the names and values of JSON are counted outside of texts', () => {
  const counts: [json: string, values: number][] = [
    ['{"a":1,"b":[2,3],"c":"[,{,\\",[{,","d\\\\":null}', 11],
    ['[0,0,0]', 4],
    ['"a,b"', 1],
    ['["é,",1]', 3],
  ]
  for (const [json, values] of counts) {
    const bytes = Buffer.from(json.padEnd(100))
    assert.deepEqual([hasMoreValues(bytes, values - 1), hasMoreValues(bytes, values)], [true, false], json)
  }
})

test('a body or hook document of millions of values is refused before it is parsed', async () => {
  const post = async (path: string, body: string) => {
    const response = await fetch(path, { method: 'POST', headers: json, body })
    return [response.status, await response.text()] as const
  }
  const wide = (bytes: number) => `{"a":[${'{},'.repeat(bytes / 3)}0]}`
  const names = (bytes: number) => `{${items(bytes, 12, (n) => `"x${n}":1`)}}`
  const documents = [
    wide(15_000_000),
    names(15_000_000),
    names(600_000),
    `${'['.repeat(7_000_000)}${']'.repeat(7_000_000)}`,
  ]
  for (const document of documents) {
    const begun = process.threadCpuUsage()
    assert.deepEqual(await post('/conduct/v1/hooks/claude', document), [204, ''])
    const { user } = process.threadCpuUsage(begun)
    assert.ok(user < 400_000, `${user / 1000} ms for ${document.slice(0, 20)}…`)
  }
  for (const path of ['/conduct/v1/runs', '/conduct/mcp']) {
    const [status, text] = await post(path, names(2_000_000))
    assert.equal(status, 422)
    assert.match(text, /the body must have at most 50,000 names and values/)
  }
})
