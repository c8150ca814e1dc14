import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { latestVersion } from '../../src/capture/spool/database.ts'
import { openState } from '../../src/capture/spool/state.ts'
import { stateFile } from '../../src/capture/spool/state-file.ts'
import { conduct, programOf } from '../cli/program.ts'
import { localUser } from '../cli/user.ts'
import { loadSqlite } from './dump-sqlite.ts'

// This version sends recordings that earlier versions of Conduct have not sent.

const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } }

const dumps = new URL('state/', import.meta.url)

/** A user whose machine has the state from that dump. */
function userWith(t: TestContext, dump: string) {
  const user = localUser(t)
  const path = stateFile(user.env)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  loadSqlite(path, readFileSync(new URL(dump, dumps), 'utf8').replaceAll('{folder}', user.env.HOME))
  return { ...user, path }
}

for (const dump of readdirSync(dumps)) {
  test(`everything in the state ${dump} is sent once`, async (t) => {
    const { env, cwd, path, ledger } = userWith(t, dump)
    const { run, all } = programOf({ ...env, CONDUCT_PROJECT: 'shop' }, cwd)
    const client = await ledger()
    await client.createRun({
      runId: 'RUN-BEGUN',
      leaseSeconds: 60,
      leaseToken: 'token-of-the-run-that-has-begun-already',
    })
    await run('sync')
    const db = new DatabaseSync(path)
    t.after(() => db.close())
    assert.equal(db.prepare('pragma user_version').get()?.user_version, latestVersion)
    assert.deepEqual(db.prepare('select * from calls').all(), [])
    assert.deepEqual(db.prepare('select * from notes where settled = 0').all(), [])

    const { runs } = await client.listRuns({ order: 'asc' })
    const found = await Promise.all(runs.map(({ runId }) => client.getRun({ runId })))
    const told = found.map(({ run: { title, status, content } }) => [title, status, content?.split('\n')[0]])
    assert.deepEqual(
      told.sort(),
      [
        ['Fix the login', 'completed', '## Fix the login'],
        ['Write the docs', 'in_progress', '## Write the docs'],
        ['npm test', 'completed', 'one'],
        ['three', 'in_progress', 'three'],
      ].sort(),
    )
    const checks = (await client.listChecks({ runId: 'RUN-BEGUN' })).checks
    assert.deepEqual(
      checks.map(({ name }) => name),
      ['tests'],
    )
    assert.equal((await all('sync')).stdout, 'There is nothing to send.\n')
  })
}

test('a state upgraded from version 0.1 has the tables of a new one', (t) => {
  const { path, env } = userWith(t, 'v0.sql')
  const fresh = `${env.HOME}/fresh.db`
  for (const file of [path, fresh]) openState(file).close()
  const tablesOf = (file: string) => {
    const db = new DatabaseSync(file, { readOnly: true })
    const rows = db.prepare('select type, name, sql from sqlite_schema order by type, name').all()
    db.close()
    const plain = (sql: unknown) =>
      `${sql}`
        .replace(/ *--.*/g, '')
        .replace(/\s+/g, ' ')
        .replace(/ (?=[,)])/g, '')
    return rows.map(({ type, name, sql }) => [type, name, plain(sql)])
  }
  assert.deepEqual(tablesOf(path), tablesOf(fresh))
})

test('a state that no release wrote is left alone, and the error says so', (t) => {
  const { path } = userWith(t, 'v0.sql')
  const db = new DatabaseSync(path)
  db.exec('pragma user_version = 5')
  db.close()
  assert.throws(
    () => openState(path),
    /state\.db has file version 5, which no release of Conduct wrote: run conduct sync/,
  )
})

test('a state of a newer version is left alone, and commands report it, except hooks', async (t) => {
  const { env, cwd, path } = userWith(t, readdirSync(dumps)[0] as string)
  const db = new DatabaseSync(path)
  db.exec(`alter table recordings rename to recordings_2; pragma user_version = ${latestVersion + 1}`)
  db.close()
  const { all } = programOf(env, cwd)
  const newer = /state\.db was written by a newer Conduct \(file version \d+; this one supports up to \d+\): upgrade/
  const sync = await all('sync')
  assert.notEqual(sync.code, 0)
  assert.match(sync.stderr, newer)
  const hook = await all('hook claude', JSON.stringify({ hook_event_name: 'SessionStart', session_id: 's', cwd }))
  assert.deepEqual(hook, { code: 0, stdout: '', stderr: '' })
  const exec = await all('exec -- echo hi')
  assert.deepEqual([exec.code, exec.stdout], [0, 'hi\n'])
  assert.match(exec.stderr, newer)
  const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize', params }
  const mcp = await conduct(['mcp'], env, cwd, `${JSON.stringify(initialize)}\n`)
  assert.equal(mcp.code, 0)
  assert.match(mcp.stdout, /"serverInfo"/)
  assert.match(mcp.stderr, newer)
  const doctor = await all('doctor')
  assert.equal(doctor.code, 1)
  assert.match(doctor.stdout, newer)
  assert.match((await all('status')).stdout, newer)
})
