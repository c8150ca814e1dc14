import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConductError, type Issue } from '../../src/contract/error.ts'
import type { Name } from '../../src/contract/paths.ts'
import { planOf, readInput } from '../../src/server/input.ts'

/** The issues of a request, as the error shows them to the caller. */
function issuesOf(name: Name, body: unknown, query = '', params: Record<string, string> = {}): string[] {
  try {
    readInput(planOf(name), { params, query, header: () => undefined, body })
  } catch (error) {
    if (!(error instanceof ConductError)) throw error
    return (error.issues as Issue[]).map(({ path, message }) => `${path}: ${message}`)
  }
  return []
}

const many = (count: number) => Array.from({ length: count }, (_, n) => n + 1)
const labels = Object.fromEntries(many(33).map((n) => [`l${n}`, '']))
const wrongLabels = Object.fromEntries(many(33).map((n) => [`!${n}`, n]))

const bodies: [name: Name, body: unknown, ...issues: (string | RegExp)[]][] = [
  ['createRun', [], ': the body must be a JSON object'],
  ['createRun', { status: 'done' }, "status: must be one of pending, in_progress, completed, failed, not 'done'"],
  ['createRun', { title: 5 }, 'title: must be a string, not 5'],
  ['createRun', { agent: {} }, 'agent: must be a string, not an object'],
  ['createRun', { title: 'x'.repeat(301) }, 'title: must have at most 300 bytes, not 301'],
  ['createRun', { agent: '' }, 'agent: must not be empty'],
  ['createRun', { title: 'a\0b' }, 'title: has a NUL character or half a surrogate pair'],
  ['createRun', { labels }, 'labels: must have at most 32 labels'],
  ['createRun', { labels: wrongLabels }, 'labels: must have at most 32 labels'],
  ['createRun', { labels: many(33) }, 'labels: must be an object, not an array of 33'],
  ['createRun', { labels: 'x' }, "labels: must be an object, not 'x'"],
  ['createRun', { links: many(33) }, 'links: must have at most 32 items, not 33'],
  ['createRun', { links: {} }, 'links: must be an array, not an object'],
  ['createRun', { git: { nope: 1 } }, /^git\.nope: unknown field; the known ones are .*[^ ]$/],
  ['createRun', { usage: { inputTokens: 1.5 } }, 'usage.inputTokens: must be a whole number, not 1.5'],
  ['createRun', { usage: { inputTokens: -1 } }, 'usage.inputTokens: must be at least 0, not -1'],
  ['createRun', { leaseSeconds: 5 }, 'leaseSeconds: must be 10 to 86400 seconds, not 5'],
  ['createRun', { runId: 'a b' }, /^runId: must be 1 to 128 of .*, not 'a b'$/],
  ['createRun', { nope: 1, no: 2 }, /^nope: unknown field; the known ones are runId, .*[^ ]$/, 'no: unknown field'],

  ['createCheck', {}, 'result: is required and must be one of pass, fail, warn'],
  [
    'createFeature',
    { description: 5 },
    'name: is required and must be a string',
    'description: must be a string, not 5',
  ],
  ['createKey', { name: 'x', permissions: [] }, 'permissions: must have at least 1 item, not 0'],
  ['erase', { text: '' }, 'text: must have at least 4 bytes, not 0'],
  ['erase', { text: 'abc' }, 'text: must have at least 4 bytes, not 3'],
  [
    'createWebhook',
    { url: 'https://hooks.example/', after: null },
    'after: must be the seq or the id of an event, like 41 or 41-9f3c1a2b0d4e, not null',
  ],
  ['createLoginCode', { x: 1 }, 'x: unknown field; there are none here'],
]

for (const [name, body, ...issues] of bodies) {
  test(`${name} ${JSON.stringify(body).slice(0, 60)}`, () => {
    const found = issuesOf(name, body)
    assert.equal(found.length, issues.length, found.join('\n'))
    for (const [index, issue] of issues.entries()) {
      if (typeof issue === 'string') assert.equal(found[index], issue)
      else assert.match(found[index] ?? '', issue)
    }
  })
}

test('a number that JavaScript would round is quoted as it was given', () => {
  const far = '9007199254740993'
  assert.deepEqual(issuesOf('listRuns', undefined, `featureId=${far}`), [
    `featureId: must be at most 9007199254740991, not '${far}'`,
  ])
  assert.deepEqual(issuesOf('listRuns', undefined, `limit=${far}`), [`limit: must be at most 100, not '${far}'`])
  assert.deepEqual(issuesOf('getWebhook', undefined, '', { id: `${far}${far}` }), [
    `id: must be at most 9007199254740991, not '${far}${far}'`,
  ])
})

test('a query that is not percent-encoded UTF-8 is refused, not read as other characters', () => {
  const query = (text: string) => () =>
    readInput(planOf('search'), { params: {}, query: text, header: () => undefined, body: undefined })
  const wrong: [query: string, parameter: string, bytes: string][] = [
    ['q=a&agent=%FF', 'agent', '%FF'],
    ['label=a:%ED%A0%80', 'label', '%ED%A0%80'],
    ['%C3=1', '%C3', '%C3'],
    ['q=caf%e9+1', 'q', '%e9'],
  ]
  for (const [text, parameter, bytes] of wrong) {
    const rule = 'percent-encode UTF-8, so é is %C3%A9'
    assert.throws(query(text), { code: 'BAD_REQUEST', message: `${parameter}: contains '${bytes}': ${rule}.` })
  }
  assert.equal(query('q=%E2%82%ac+%')().q, '€ %')
})

test('a wrong part of the address is named, too', () => {
  assert.deepEqual(issuesOf('listRuns', undefined, 'limit=0'), ['limit: must be at least 1, not 0'])
  assert.deepEqual(issuesOf('listRuns', undefined, 'limit='), ["limit: must be a whole number, not ''"])
  assert.deepEqual(issuesOf('listRuns', undefined, 'limit=1&limit=2'), ['limit: was given 2 times: give it once'])
  assert.deepEqual(issuesOf('listRuns', undefined, `cursor=${'x'.repeat(1201)}`), [
    'cursor: must have at most 200 characters, not 1,201',
  ])
  const times = ['must be an ISO 8601 date-time with a zone, like 2026-01-31T09:30:00.000Z', "'2026-01-01T00:00:00"]
  assert.deepEqual(issuesOf('listRuns', undefined, 'createdAfter=2026-01-01T00:00:00+02:00'), [
    `createdAfter: ${times.join(' (in an address, write + as %2B), not ')} 02:00'`,
  ])
  assert.deepEqual(issuesOf('listRuns', undefined, 'createdAfter=2026-01-01T00:00:00%2B02:00'), [])
  assert.deepEqual(issuesOf('listRuns', undefined, 'createdAfter=2026-01-01T00:00:00'), [
    `createdAfter: ${times.join(', not ')}'`,
  ])
  assert.deepEqual(issuesOf('createRun', {}, 'title=x'), ['title: must be in the body of a POST, not in the query'])
  assert.match(
    issuesOf('listRuns', undefined, 'nope=1')[0] ?? '',
    /^nope: unknown query parameter; the known ones are project,/,
  )
  assert.deepEqual(issuesOf('updateRun', { runId: 'B', title: 'x' }, '', { runId: 'A' }), [
    "runId: is 'A' in the address and cannot be changed: leave it out",
  ])
})
