import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  copyFileSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import sql from 'sql-template-tag'
import { ConductError } from '../../src/client/client.ts'
import { openStore } from '../../src/operations/open.ts'
import { type Engine, engines } from '../support/engines.ts'
import { type ServerProcess, startServer } from '../support/server.ts'
import { readRows } from './database.ts'
import { size } from './size.ts'
import { clientOf } from './writers.ts'

const sqlite = engines.find(({ name }) => name === 'sqlite') as Engine

/** Asserts that SIGTERM ends the server with exit code 0 and in time. */
async function endInTime(server: ServerProcess) {
  const asked = performance.now()
  assert.equal(await server.end('SIGTERM'), 0)
  assert(performance.now() - asked < 10_000, 'it did not end within 10 s')
}

/** The response of `/readyz`: the status code, and its message. */
async function readiness({ url }: ServerProcess): Promise<[number, string]> {
  const response = await fetch(new URL('/readyz', url))
  return [response.status, ((await response.json()) as { status: string }).status]
}

/** Waits until `/readyz` has that status. The server asks the database at most once a second. */
async function untilReadiness(server: ServerProcess, status: number): Promise<string> {
  for (;;) {
    const [now, words] = await readiness(server)
    if (now === status) return words
    await sleep(50)
  }
}

const refused =
  (words: RegExp) =>
  (error: unknown): true => {
    assert(error instanceof ConductError)
    assert.equal(error.code, 'UNAVAILABLE')
    assert.match(error.message, words)
    return true
  }

/** Overwrites the first page of a table or index with random bytes. */
async function damage(url: string, name: string) {
  const [root] = await readRows<{ rootpage: number }>(url, `select rootpage from sqlite_master where name = '${name}'`)
  const [pages] = await readRows<{ page_size: number }>(url, 'pragma page_size')
  const bytes = pages?.page_size as number
  const file = openSync(url.slice('sqlite:'.length), 'r+')
  writeSync(file, randomBytes(bytes), 0, bytes, ((root?.rootpage as number) - 1) * bytes)
  closeSync(file)
}

test('a damaged page fails the requests that need it, and /readyz, and the server continues', async (t) => {
  const url = await sqlite.freshUrl(t)
  const before = await startServer(t, url)
  for (let n = 1; n <= 30; n++) await clientOf(before).createRun({ title: `run ${n}`, status: 'completed' })
  await before.end('SIGTERM')
  await damage(url, 'runs_by_status')

  const server = await startServer(t, url)
  const client = clientOf(server)
  assert.equal((await client.listRuns({ limit: 20 })).runs.length, 20)
  assert.deepEqual(await readiness(server), [200, 'ok'])
  const isDamaged = refused(/^The database file is damaged: .* restore a backup/)
  await assert.rejects(client.listRuns({ status: ['completed'] }), isDamaged)
  await assert.rejects(client.createRun({ title: 'one more' }), isDamaged)
  // Reads that arrive together share one transaction.
  const both = await Promise.allSettled([
    client.getRun({ runId: 'RUN-001' }),
    client.listRuns({ status: ['completed'] }),
    client.listRuns({}),
  ])
  assert.deepEqual(
    both.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  assert.match(await untilReadiness(server, 503), /damaged/)
  assert.equal(server.process.exitCode, null)
  assert.match(server.output(), /The database file is damaged/)
  await endInTime(server)
})

test('the first damage that a statement finds is reported once', async (t) => {
  const url = await sqlite.freshUrl(t)
  await (await openStore(url)).close()
  await damage(url, 'runs_by_status')
  const warnings: string[] = []
  const store = await openStore(url, { warn: ({ message }) => warnings.push(message) })
  t.after(() => store.close())
  const read = () => store.db.query(sql`select id from runs where project_id = 1 and status = 'completed'`)
  await assert.rejects(read(), /damaged/)
  await assert.rejects(read(), /damaged/)
  assert.equal(warnings.length, 1)
  assert.match(warnings[0] ?? '', /^The database file is damaged/)
})

for (const [what, files] of [
  ['database', ['']],
  ['log', ['-wal']],
  ['log and its index', ['-wal', '-shm']],
] as const) {
  test(`no write is acknowledged while the file of the ${what} is moved away`, async (t) => {
    const url = await sqlite.freshUrl(t)
    const path = url.slice('sqlite:'.length)
    const server = await startServer(t, url)
    const client = clientOf(server)
    const acknowledged: string[] = []
    for (let round = 1; round <= size(1, 20); round++) {
      acknowledged.push((await client.createRun({})).run.runId)
      for (const end of files) renameSync(path + end, `${path}${end}-away`)
      await assert.rejects(client.createRun({ runId: `lost-${round}` }), refused(/was deleted or replaced/))
      assert.match(await untilReadiness(server, 503), /deleted or replaced/)
      assert.equal((await client.listRuns({})).runs.length > 0, true, 'what is open can be read')
      for (const end of files) renameSync(`${path}${end}-away`, path + end)
      acknowledged.push((await client.createRun({})).run.runId)
      await untilReadiness(server, 200)
    }
    await endInTime(server)
    const again = await startServer(t, url)
    for (const runId of acknowledged) await clientOf(again).getRun({ runId })
  })
}

for (const [how, replace, words] of [
  [
    'moved over',
    (from: string, to: string) => renameSync(from, to),
    /was replaced .* nothing was written to the new one/,
  ],
  ['copied over', (from: string, to: string) => copyFileSync(from, to), /was overwritten .* nothing was written/],
  ['written over', (from: string, to: string) => writeFileSync(to, readFileSync(from)), /was overwritten/],
] as const) {
  for (const isClean of [true, false]) {
    test(`a ledger that is ${how} the open one stays whole through ${isClean ? 'SIGTERM' : 'SIGKILL'}`, async (t) => {
      const url = await sqlite.freshUrl(t)
      const path = url.slice('sqlite:'.length)
      const server = await startServer(t, url)
      const client = clientOf(server)
      for (let n = 0; n < 20; n++) await client.createRun({ runId: `old-${n}`, content: 'old '.repeat(10_000) })
      const other = await sqlite.freshUrl(t)
      const otherPath = other.slice('sqlite:'.length)
      const second = await startServer(t, other)
      await clientOf(second).createRun({ runId: 'new', content: 'new' })
      await second.end('SIGTERM')

      replace(otherPath, path)
      await assert.rejects(client.createRun({ runId: 'lost' }), refused(words))
      assert.match(await untilReadiness(server, 503), words)
      await assert.rejects(client.listRuns({}), refused(words))
      assert.match(server.output(), words)
      const [log] = readdirSync(dirname(path)).filter((name) => /-wal-\d{8}T\d{6}Z$/.test(name))
      assert.ok(log && statSync(join(dirname(path), log)).size > 0, 'the former log is kept')
      await server.end(isClean ? 'SIGTERM' : 'SIGKILL')

      const again = await startServer(t, url)
      const { runs } = await clientOf(again).listRuns({})
      assert.deepEqual(
        runs.map(({ runId }) => runId),
        ['new'],
      )
      await clientOf(again).createRun({ runId: 'after' })
      await endInTime(again)
      assert.deepEqual(await readRows(url, 'pragma integrity_check'), [{ integrity_check: 'ok' }])
    })
  }
}

test('checkpoints and rewrites by other processes are no replacement', async (t) => {
  const url = await sqlite.freshUrl(t)
  const server = await startServer(t, url)
  const client = clientOf(server)
  for (let round = 0; round < size(3, 60); round++) {
    await client.createRun({ content: 'x'.repeat(300_000) })
    await readRows(
      url,
      ['pragma wal_checkpoint(passive)', 'pragma wal_checkpoint(truncate)', 'vacuum'][round % 3] ?? '',
    )
    await client.createRun({})
  }
  assert.deepEqual(await readiness(server), [200, 'ok'])
  await endInTime(server)
})
