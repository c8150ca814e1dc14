import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { startServer } from '../support/server.ts'
import { freePort, startPostgres } from '../support/setup.ts'
import { readLog, requireWhole } from './log.ts'
import { size } from './size.ts'
import { clientOf, readBack, startWriters } from './writers.ts'

for (const mode of ['transaction', 'session']) {
  test(`two servers work through PgBouncer in ${mode} mode`, async (t) => {
    const { postgres, url: direct, remove } = await startPostgres(['-c', 'max_connections=60'])
    t.after(async () => {
      await postgres.stop()
      remove()
    })
    const url = await startBouncer(t, direct, mode)
    const servers = [await startServer(t, url), await startServer(t, url)]
    const writers = servers.map((server, n) => startWriters(t, clientOf(server), `through-${n}`, () => false))
    for (const one of writers) await one.until(() => one.acknowledged() >= size(200, 5_000))
    for (const one of writers) await one.stop()
    for (const server of servers) {
      for (const { touched } of writers) await readBack(clientOf(server), touched)
      assert.equal(server.output().includes('"level":40'), false, server.output())
    }
    const [first, second] = servers.map(clientOf)
    assert.deepEqual(await readLog(first as typeof second & {}), await readLog(second as typeof first & {}))
    await requireWhole(clientOf(servers[0] as (typeof servers)[0]), direct)
    for (const server of servers) assert.equal(await server.end('SIGTERM'), 0)
  })
}

/** Starts a PgBouncer in front of that database, and returns its URL. */
async function startBouncer(t: TestContext, url: string, mode: string): Promise<string> {
  assert.equal(spawnSync('pgbouncer', ['--version']).status, 0, 'pgbouncer is missing: apt-get install pgbouncer')
  const { hostname, port, username, password } = new URL(url)
  const folder = mkdtempSync(join(tmpdir(), 'conduct-bouncer-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  chmodSync(folder, 0o755)
  const listenPort = await freePort()
  writeFileSync(join(folder, 'users'), `"${username}" "${password}"\n`)
  writeFileSync(
    join(folder, 'pgbouncer.ini'),
    `[databases]
    * = host=${hostname} port=${port}
    [pgbouncer]
    listen_addr = 127.0.0.1
    listen_port = ${listenPort}
    unix_socket_dir =
    auth_type = plain
    auth_file = ${join(folder, 'users')}
    pool_mode = ${mode}
    default_pool_size = ${mode === 'session' ? 40 : 12}
    max_prepared_statements = 200
    `.replaceAll(/^ +/gm, ''),
  )
  const args = [...(process.getuid?.() === 0 ? ['-u', 'nobody'] : []), join(folder, 'pgbouncer.ini')]
  const bouncer = spawn('pgbouncer', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  t.after(() => {
    bouncer.kill('SIGKILL')
  })
  let log = ''
  await new Promise<void>((resolve, reject) => {
    bouncer.stderr.on('data', (chunk) => {
      log += chunk
      if (log.includes('process up')) resolve()
    })
    void once(bouncer, 'exit').then(() => reject(new Error(`pgbouncer ended: ${log}`)))
  })
  return `postgres://${username}:${password}@127.0.0.1:${listenPort}/postgres`
}
