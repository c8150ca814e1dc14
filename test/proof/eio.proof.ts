import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Client, ConductError } from '../../src/client/client.ts'
import { type Engine, engines } from '../support/engines.ts'
import { startServer } from '../support/server.ts'
import { requireWhole } from './log.ts'
import { size } from './size.ts'
import { clientOf, readBack, startWriters } from './writers.ts'

const sqlite = engines.find(({ name }) => name === 'sqlite') as Engine

for (const call of ['write', 'sync', 'read']) {
  test(`when each ${call} of the disk fails, requests return 503, and nothing is lost`, async (t) => {
    const { shim, order } = compile(t)
    const url = await sqlite.freshUrl(t)
    const env = { LD_PRELOAD: shim, EIO_ORDER: order }
    let server = await startServer(t, url, env)
    const old = await writeMore(clientOf(server))
    for (let round = 1; round <= size(2, 20); round++) {
      let refused = 0
      const isRefused = ({ status }: ConductError) => {
        if (status === 503) refused++
        return status === 503
      }
      const client = clientOf(server)
      const writers = startWriters(t, client, `${call}-${round}`, isRefused)
      await writers.until(() => writers.acknowledged() >= 50)
      writeFileSync(order, call)
      if (call !== 'read') await writers.until(() => refused >= 50)
      else assert.ok((await countRefused(client, old)) > 0, 'nothing needed the disk')
      const live = await fetch(new URL('/livez', server.url))
      assert.equal(live.status, 200)
      if (call !== 'read') assert.equal((await fetch(new URL('/readyz', server.url))).status, 503)
      rmSync(order)
      const wanted = writers.acknowledged() + 50
      await writers.until(() => writers.acknowledged() >= wanted)
      await writers.stop()
      assert.equal(server.process.exitCode, null)
      await readBack(client, writers.touched)
      assert.equal(await countRefused(client, old), 0)
      // The server ends with a working disk and a failing one in turn.
      if (round % 2 === 0) writeFileSync(order, call)
      const asked = performance.now()
      const code = await server.end('SIGTERM')
      assert.ok(performance.now() - asked < 10_000, 'it did not end within 10 s')
      if (round % 2 === 1) assert.equal(code, 0)
      rmSync(order, { force: true })
      server = await startServer(t, url, env)
      await readBack(clientOf(server), writers.touched)
    }
    await requireWhole(clientOf(server), url)
  })
}

test('when locks of the database fail, one statement waits, and the server then refuses all others at once', async (t) => {
  const { shim, order } = compile(t)
  const url = await sqlite.freshUrl(t)
  const server = await startServer(t, url, { LD_PRELOAD: shim, EIO_ORDER: order })
  const client = clientOf(server)
  await client.createRun({ runId: 'before' })
  for (let round = 1; round <= size(1, 3); round++) {
    writeFileSync(order, 'lock')
    await assert.rejects(client.getRun({ runId: 'before' }), { code: 'UNAVAILABLE' })
    for (let n = 0; n < 100; n++) {
      const asked = performance.now()
      const calls = [client.createRun({}), client.listRuns({}), client.getRun({ runId: 'before' })]
      for (const call of calls) await assert.rejects(call, { code: 'UNAVAILABLE', message: /refuses the locks/ })
      assert.equal((await fetch(new URL('/livez', server.url))).status, 200)
      assert.equal((await fetch(new URL('/readyz', server.url))).status, 503)
      const took = performance.now() - asked
      assert.ok(took < 1_000, `five requests took ${Math.round(took)} ms`)
      await sleep(100)
    }
    rmSync(order)
    while ((await fetch(new URL('/readyz', server.url))).status !== 200) await sleep(100)
    await client.createRun({ runId: `after-${round}` })
  }
  assert.equal(await server.end('SIGTERM'), 0)
  await requireWhole(clientOf(await startServer(t, url)), url)
})

/** Writes more than SQLite's page cache holds. Returns the ids of the new runs. */
async function writeMore(client: Client): Promise<string[]> {
  const ids = Array.from({ length: 200 }, (_, n) => `old-${n}`)
  for (const runId of ids) await client.createRun({ runId, content: 'x'.repeat(100_000) })
  return ids
}

/** The number of these runs that cannot be read. Throws unless each error is a 503. */
async function countRefused(client: Client, runIds: string[]): Promise<number> {
  let refused = 0
  for (const runId of runIds) {
    await client.getRun({ runId }).catch(({ status }: ConductError) => {
      assert.equal(status, 503)
      refused++
    })
  }
  return refused
}

/** Builds the library that makes calls fail. Returns its path, and the path of the file that orders a failure. */
function compile(t: TestContext): { shim: string; order: string } {
  const folder = mkdtempSync(join(tmpdir(), 'conduct-eio-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const shim = join(folder, 'eio.so')
  const source = fileURLToPath(new URL('eio.c', import.meta.url))
  const { status, stderr } = spawnSync('gcc', ['-shared', '-fPIC', '-O2', '-o', shim, source, '-ldl'], {
    encoding: 'utf8',
  })
  assert.equal(status, 0, `gcc cannot build the library: ${stderr}`)
  return { shim, order: join(folder, 'order') }
}
