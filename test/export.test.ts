import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import sql, { raw } from 'sql-template-tag'
import { ConductError } from '../src/contract/error.ts'
import { exportLedger } from '../src/export/export.ts'
import { LineWriter } from '../src/export/lines.ts'
import { staying, tables } from '../src/export/tables.ts'
import { checkpointsIn, hashesFrom, isSignedBy } from '../src/log/seal/signed-note.ts'
import { isConsistent } from '../src/log/seal/tree.ts'
import { openDb, openStore } from '../src/operations/open.ts'
import { checkMemory } from '../src/verify/remember.ts'
import { verify } from '../src/verify/verify.ts'
import { freshFolder, homeOf } from './cli/folder.ts'
import { root } from './support/built.ts'
import { engines, type Ledger, testLedger } from './support/engines.ts'
import { exportAt, exportOf, importAt, openAt } from './support/exported.ts'
import { loadSqlite } from './upgrade/dump-sqlite.ts'

const isRefused = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof ConductError && error.code === code && words.test(error.message)

/** Creates enough for several groups of lines. */
async function fill({ client, advance }: Pick<Ledger, 'client' | 'advance'>, runs = 150) {
  await client.createSpec({ specId: 'S-1', title: 'Log in', content: '- [ ] form' })
  const numbers = Array.from({ length: runs }, (_, at) => at + 1)
  const made = numbers.map((n) =>
    client.createRun({
      runId: `R-${n}`,
      specId: 'S-1',
      title: `run ${n}`,
      content: `text ${n}`,
      labels: { n: `${n}` },
    }),
  )
  await Promise.all(made)
  // Seals the log now. Otherwise the server seals it during the test, and the export changes.
  advance(61_000)
  await client.getCheckpoint()
}

testLedger('an export contains every table, or leaves it out for a reason', async ({ store: { db } }) => {
  const names = db.dialect.commitsInOrder
    ? sql`select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' and name not like 'search_words_%'
        and name not like 'search_recent_%' and name not like '%_grams_%'`
    : sql`select table_name as name from information_schema.tables where table_schema = current_schema()`
  const found = await db.query<{ name: string }>(names)
  const known = new Set([...tables.map(({ name }) => name), ...Object.keys(staying)])
  if (db.dialect.commitsInOrder) known.delete('pending_events')
  assert.deepEqual(found.map(({ name }) => name).sort(), [...known].sort())
  for (const { name, key, live = [], secret = [] } of tables) {
    for (const column of [...key, ...live, ...secret])
      await db.query(sql`select ${raw(column)} from ${raw(name)} limit 0`)
  }
})

testLedger('an export shows one moment, and does not delay writers', async (ledger) => {
  await fill(ledger)
  const before = await exportOf(ledger.store)
  const pieces = exportLedger(ledger.store.db, { withKeys: false })
  let text = (await pieces.next()).value as string
  await ledger.client.createRun({ runId: 'LATE' })
  await ledger.client.updateRun({ runId: 'R-150', title: 'late' })
  for await (const piece of pieces) text += piece
  assert.ok(text === before, 'the same bytes')
})

testLedger('an export of large turns comes in pieces that are hardly larger than one of them', async (ledger) => {
  await ledger.client.createRun({ runId: 'R' })
  const commands = Array.from({ length: 100 }, () => ({ command: 'x'.repeat(2000) }))
  for (let n = 1; n <= 10; n++) await ledger.client.appendTurn({ runId: 'R', n, prompt: 'Go on.', commands })
  const pieces = await Array.fromAsync(exportLedger(ledger.store.db, { withKeys: false }))
  const largest = Math.max(...pieces.map(({ length }) => length))
  assert.ok(largest < 400_000, `${largest} characters`)
})

testLedger('only an export with keys contains secrets, and nobody holds a lease after an import', async (ledger, t) => {
  const { client } = ledger
  const { secret } = await client.createWebhook({ url: 'https://example.com/' })
  const { run, lease } = await client.createRun({ leaseSeconds: 600 })
  const without = await exportOf(ledger.store)
  const withKeys = await exportOf(ledger.store, true)
  for (const text of [without, withKeys]) assert.doesNotMatch(text, /lease_token/)
  for (const word of [secret, '"hash"', 'private_key']) {
    assert.ok(!without.includes(word), word)
    assert.ok(withKeys.includes(word), word)
  }
  assert.match(without, /"enabled":0/)
  const { url } = await ledger.engine.ledger(t)
  await importAt(url, withKeys)
  const moved = (await openAt(t, url)).as(ledger.adminKey)
  const held = { runId: run.runId, leaseToken: lease?.token ?? '' }
  await assert.rejects(moved.heartbeat(held), isRefused('LEASE_LOST', /does not match that of run/))
})

testLedger('the error for an invalid export names the line, and the import leaves nothing', async (ledger, t) => {
  await fill(ledger, 250)
  const text = await exportOf(ledger.store)
  const lines = text.split('\n')
  const newer = new LineWriter().header({ format: 2, ledger: 'x', schema: 1, withKeys: false })
  const writer = new LineWriter()
  const newSchema = writer.header({ format: 1, ledger: 'x', schema: 999, withKeys: false }) + writer.trailer()
  const at = Math.floor(text.length * 0.9)
  const flipped = Buffer.from(text)
  flipped[at] = (flipped[at] as number) ^ 1
  const lineOf = (place: number) => text.slice(0, place).split('\n').length
  const bad: [string, RegExp][] = [
    [text.slice(0, at), new RegExp(`^Line ${lineOf(at)} is cut off`)],
    [lines.slice(0, -2).join('\n').concat('\n'), /ends after line \d+ without a trailer/],
    [flipped.toString('latin1'), new RegExp(`^Line (${lineOf(at)}|${lineOf(at) + 1}) `)],
    [[...lines.slice(0, 1100), ...lines.slice(1101)].join('\n'), /^Line 1101 does not fit/],
    [[...lines.slice(0, -1), lines[5], ''].join('\n'), /stands after the trailer/],
    [newer, /^Line 1: the export has format 2/],
    [newSchema, /^Line 1: the export has schema version 999/],
    ['', /ends after line 0/],
    ['{"some":"json"}\n', /not a Conduct export/],
  ]
  const { url } = await ledger.engine.ledger(t)
  for (const [source, words] of bad) {
    const bytes = Readable.from([Buffer.from(source, source.length === flipped.length ? 'latin1' : 'utf8')])
    await assert.rejects(importAt(url, bytes), isRefused('BAD_REQUEST', words))
    const store = await openStore(url, { firstKey: false })
    assert.deepEqual(await store.db.query(sql`select run_id from runs limit 1`), [])
    await store.close()
  }
  await importAt(url, text)
  assert.ok((await exportAt(url)) === text, 'the same bytes')
})

testLedger('a program can compute the crc32 of each line, as docs/export.md says', async ({ client, store }) => {
  await client.createRun({ content: 'é\n"}' })
  const ending = /,"crc32":"([0-9a-f]{8})"}$/
  let crc = 0
  for (const line of (await exportOf(store)).trimEnd().split('\n')) {
    crc = crc32(line.replace(ending, ''), crc)
    assert.equal(ending.exec(line)?.[1], crc.toString(16).padStart(8, '0'))
  }
})

testLedger('an import takes no key and no enabled webhook from an export without keys', async (ledger, t) => {
  const { client, store, engine } = ledger
  await client.createWebhook({ url: 'http://localhost:9/' })
  const claimed = (await exportOf(store, true))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  const forged = (drop: (row: Record<string, unknown>, table: string) => boolean) => {
    const writer = new LineWriter()
    const lines = claimed.map(({ crc32: _, ...line }) => {
      if (line.header) return writer.header({ ...line.header, withKeys: false })
      if (line.trailer) return writer.trailer()
      return drop(line.row, line.table) ? '' : writer.row(line)
    })
    return lines.join('')
  }
  const url = await engine.freshUrl(t)
  const told = { code: 'BAD_REQUEST', message: /the header says that the export has no keys, and this is one/ }
  await assert.rejects(
    importAt(
      url,
      forged(() => false),
    ),
    told,
  )
  await assert.rejects(
    importAt(
      url,
      forged((_, table) => table === 'keys'),
    ),
    told,
  )
  const withoutSecrets = forged((row, table) => {
    for (const name of ['secret', 'previous_secret', 'previous_secret_expires_at', 'private_key']) delete row[name]
    return table === 'keys'
  })
  await importAt(url, withoutSecrets)
  const { webhooks } = await (await openAt(t, url)).client.listWebhooks({})
  assert.deepEqual(
    webhooks.map(({ enabled }) => enabled),
    [false],
  )
})

test('an export of an earlier schema version is imported', async (t) => {
  const [sqlite] = engines
  for (const version of [14]) {
    const old = (await sqlite?.freshUrl(t)) as string
    const dump = join(root, `test/upgrade/ledger/v${version}.sqlite.sql`)
    loadSqlite(old.slice('sqlite:'.length), readFileSync(dump, 'utf8'))
    const db = await openDb(old, () => {})
    const text = (await Array.fromAsync(exportLedger(db, { withKeys: true }))).join('')
    await db.close()
    for (const engine of engines) {
      const url = await engine.freshUrl(t)
      const { rows } = await importAt(url, text)
      const { client } = await openAt(t, url)
      assert.equal((await client.listProjects({ limit: 100 })).projects.length, rows.projects)
    }
  }
})

testLedger('an import changes nothing in a ledger that is not empty', async (ledger) => {
  await ledger.client.createRun({ runId: 'R-1' })
  const text = await exportOf(ledger.store)
  await assert.rejects(importAt(ledger.url, text), isRefused('CONFLICT', /not empty/))
  assert.ok((await exportOf(ledger.store)) === text, 'the same bytes')
})

/** The first part of an export, then an error as if the process were killed. */
async function* cutShort(text: string, share: number): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text).subarray(0, Math.floor(text.length * share))
  throw new Error('killed')
}

testLedger('an interrupted import keeps the ledger closed, and continues where it was', async (ledger, t) => {
  await fill(ledger, 250)
  const text = await exportOf(ledger.store)
  await ledger.client.createProject({ slug: 'later' })
  const later = await exportOf(ledger.store)
  const { url } = await ledger.engine.ledger(t)
  await assert.rejects(importAt(url, cutShort(text, 0.8)), /killed/)
  await assert.rejects(openStore(url), /stopped at line \d+: run the same conduct import again/)
  await assert.rejects(importAt(url, later), isRefused('CONFLICT', /--restart/))
  const lines: number[] = []
  await importAt(url, text, { onProgress: (line) => lines.push(line) })
  assert.ok((lines[0] ?? 0) > 1000, 'it went on where it was')
  assert.ok((await exportAt(url)) === text, 'the same bytes')
})

testLedger('an import starts again on request', async (ledger, t) => {
  await fill(ledger, 250)
  const text = await exportOf(ledger.store)
  await ledger.client.createProject({ slug: 'later' })
  const later = await exportOf(ledger.store)
  const { url } = await ledger.engine.ledger(t)
  await assert.rejects(importAt(url, cutShort(text, 0.8)), /killed/)
  await importAt(url, later, { restart: true })
  assert.ok((await exportAt(url)) === later, 'the same bytes')
})

testLedger('after an import without keys, ids are not reused, and a new key continues the seal', async (ledger, t) => {
  const { client } = ledger
  await client.createRun({ runId: 'R-1' })
  await client.createFeature({ name: 'gone' })
  await client.deleteFeature({ id: 1 })
  const old = await client.getCheckpoint()
  for (const engine of engines) {
    const { url } = await engine.ledger(t)
    await importAt(url, await exportOf(ledger.store))
    const copy = await openAt(t, url)
    const kept = await copy.client.getCheckpoint()
    assert.deepEqual(kept, old)
    await copy.client.createFeature({ name: 'new' })
    // At once, so that no machine remembers the name that the log does not keep.
    const home = homeOf(freshFolder(t))
    assert.equal(await checkMemory(copy.client, 'http://ledger', home), undefined)
    const { events } = await copy.client.listEvents({ after: old.size })
    assert.deepEqual(
      events.map(({ subjectId }) => subjectId),
      [2],
    )
    copy.advance(61_000)
    const head = await copy.client.getCheckpoint()
    assert.notEqual(head.origin, old.origin)
    assert.equal(await checkMemory(copy.client, 'http://ledger', home), undefined, 'the log continues')
    const { faults, continues } = await verify(copy.client, checkpointsIn(old.note))
    assert.deepEqual([faults, continues], [[], [old.origin]])
    const unsigned = checkpointsIn(old.note.slice(0, old.note.indexOf('\n\n') + 1))
    assert.match((await verify(copy.client, unsigned)).faults[0]?.words ?? '', /belongs to the log/)
    const [checkpoint] = checkpointsIn(head.note)
    assert.ok(checkpoint && isSignedBy(checkpoint, head.verifierKey))
    const { hashes } = await copy.client.getConsistency({ from: old.size, to: head.size })
    const before = { size: old.size, root: Buffer.from(old.root, 'base64') }
    assert.ok(isConsistent(before, checkpoint, hashesFrom(hashes)))
    const { key } = await copy.client.createKey({ name: 'new', permissions: ['admin'], project: null })
    assert.equal(key.id, 2)
    assert.deepEqual((await verify(copy.client, [])).faults, [], 'the earlier keys are no missing ones')
  }
})

testLedger(
  'a webhook imported without its secret is disabled, and works again after it gets a new one',
  async (ledger, t) => {
    await ledger.client.createWebhook({ url: 'https://example.com/' })
    const { url } = await ledger.engine.ledger(t)
    await importAt(url, await exportOf(ledger.store))
    const { client } = await openAt(t, url)
    const { webhooks } = await client.listWebhooks()
    assert.deepEqual(
      webhooks.map(({ enabled, disabledReason }) => [enabled, disabledReason]),
      [[false, 'request']],
    )
    const { secret } = await client.rotateWebhookSecret({ id: 1 })
    assert.match(secret, /^whsec_/)
    assert.equal((await client.updateWebhook({ id: 1, enabled: true })).webhook.enabled, true)
  },
)

testLedger('an export needs an admin key of the whole server', async ({ client, as, fetch, adminKey }) => {
  await client.createProject({ slug: 'shop' })
  const keys = [
    { name: 'agent', permissions: ['agent' as const], project: null },
    { name: 'shop', permissions: ['admin' as const], project: 'shop' },
  ]
  for (const one of keys) {
    const { secret } = await client.createKey(one)
    await assert.rejects(Array.fromAsync(as({ key: secret }).exportLedger()), isRefused('FORBIDDEN', /whole server/))
  }
  await assert.rejects(Array.fromAsync(as({ key: 'sk_none' }).exportLedger()), isRefused('UNAUTHORIZED', /./))
  const response = await fetch('/v1/export')
  assert.equal(response.headers.get('content-type'), 'application/x-ndjson')
  const pieces = await Array.fromAsync(as({ key: adminKey }).exportLedger())
  assert.equal(Buffer.concat(pieces).toString(), await response.text())
  assert.equal((await fetch('/v1/export?withKeys=maybe')).status, 422)
})

testLedger('an export ends soon after its key is revoked', async ({ client, fetch, advance }) => {
  for (let n = 0; n < 20; n++) await client.createRun({ content: 'x'.repeat(100_000) })
  const { key, secret } = await client.createKey({ name: 'stolen', permissions: ['admin'], project: null })
  const response = await fetch('/v1/export', { headers: { authorization: `Bearer ${secret}` } })
  const reader = (response.body ?? assert.fail()).getReader()
  await reader.read()
  await client.revokeKey({ id: key.id })
  advance(15_000)
  await assert.rejects(async () => {
    while (!(await reader.read()).done);
  }, /no longer valid/)
})

testLedger('the address of the export reads its query and its method like all others', async ({ fetch }) => {
  for (const query of ['foo=1', 'withKeys=true&project=shop', 'withKeys=false&withKeys=true']) {
    const response = await fetch(`/v1/export?${query}`)
    assert.deepEqual([response.status, ((await response.json()) as { code: string }).code], [422, 'VALIDATION_ERROR'])
  }
  const posted = await fetch('/v1/export', { method: 'POST' })
  assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD'])
  // Twice as many as may run at a time: HEAD begins no export.
  for (let n = 0; n < 4; n++) {
    const head = await fetch('/v1/export?withKeys=true', { method: 'HEAD' })
    assert.deepEqual(
      [head.status, head.headers.get('content-type'), await head.text()],
      [200, 'application/x-ndjson', ''],
    )
  }
  const wrong = { method: 'HEAD', headers: { authorization: 'Bearer sk_none' } }
  assert.equal((await fetch('/v1/export', wrong)).status, 401)
})

/** Changes of a row that no call can make, with the error. */
const impossible: [table: string, change: (row: Record<string, unknown>) => void, words: RegExp][] = [
  ['runs', (row) => (row.labels = 'no JSON'), /^Line \d+: labels of runs must be a JSON object, not "no JSON"\.$/],
  ['runs', (row) => (row.verdict = 'fine'), /^Line \d+: verdict of runs must be one of unchecked/],
  ['runs', (row) => (row.verdict = 'verified'), /^Run R has the verdict verified, and no check that passed/],
  ['runs', (row) => (row.created_at = 'soon'), /^Line \d+: created_at of runs must be a time such as/],
  ['runs', (row) => (row.created_by = 77), /^A row of runs has the created_by 77, and there is no such row in actors/],
  ['run_labels', (row) => (row.run_id = 77), /run_labels/],
  ['last_ids', (row) => (row.id = 2 ** 63), /^Line \d+: id of last_ids must be a whole number up to \d+, not 9223/],
  ['events', (row) => (row.is_append = 2), /^Line \d+: is_append of events must be one of 0, 1, not 2\.$/],
  ['events', (row) => (row.subject = 'other'), /^Event 1 does not fit the seal of the log/],
  ['seal_checkpoints', (row) => (row.size = Number(row.size) - 1), /^The checkpoint of \d+ events does not fit/],
]

testLedger('an import takes no row that no call can make, and no log that does not fit its seal', async (ledger, t) => {
  await ledger.client.createRun({ runId: 'R', labels: { a: 'b' } })
  await ledger.client.getCheckpoint({})
  const lines = (await exportOf(ledger.store)).split('\n').filter(Boolean)
  const { url } = await ledger.engine.ledger(t)
  for (const [table, change, words] of impossible) {
    const writer = new LineWriter()
    let isChanged = false
    const forged = lines.map((text) => {
      const { crc32: _, ...line } = JSON.parse(text)
      if (line.header) return writer.header(line.header)
      if (line.trailer) return writer.trailer()
      if (line.table === table && !isChanged) {
        isChanged = true
        change(line.row)
      }
      return writer.row(line)
    })
    assert.ok(isChanged, table)
    await assert.rejects(importAt(url, forged.join('')), isRefused('BAD_REQUEST', words), String(words))
  }
  const twice = new LineWriter()
  const doubled = lines.flatMap((text) => {
    const { crc32: _, ...line } = JSON.parse(text)
    if (line.header) return twice.header(line.header)
    if (line.trailer) return twice.trailer()
    return line.table === 'runs' ? [twice.row(line), twice.row(line)] : twice.row(line)
  })
  await assert.rejects(
    importAt(url, doubled.join('')),
    isRefused('BAD_REQUEST', /^Lines \d+ to \d+: the database refuses/),
  )
  await importAt(url, `${lines.join('\n')}\n`)
})
