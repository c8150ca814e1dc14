import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { clockFinding, replicationFindings, roomFindings } from '../../src/cli/commands/doctor-database.ts'
import type { Finding } from '../../src/cli/commands/doctor-folder.ts'
import { createClient } from '../../src/client/client.ts'
import { backupName } from '../../src/engine/sqlite/backups.ts'
import { Cluster } from '../proof/cluster.ts'
import { readRows } from '../proof/database.ts'
import { type Engine, engines } from '../support/engines.ts'
import { adminKey, startServer } from '../support/server.ts'
import { startPostgres } from '../support/setup.ts'
import { freshFolder, homeOf, smallDisk } from './folder.ts'
import { conduct, type ProgramEnv, programOf } from './program.ts'

const shownOf = (findings: Finding[], about: string) =>
  findings.filter((finding) => finding.about === about).map(({ state, told }) => `${state} ${told}`)

/** A ledger with some events, and a function that returns the findings of the doctor about a topic. */
async function ledgerOn(t: TestContext, engine: Engine) {
  const folder = freshFolder(t)
  const url = await engine.freshUrl(t)
  const env: ProgramEnv = { ...homeOf(folder), CONDUCT_DATABASE_URL: url }
  const { run } = programOf(env)
  await run('run create --title first')
  const examine = async (more: ProgramEnv = {}) => {
    const { code, stdout } = await programOf({ ...env, ...more }).all('doctor --json')
    const findings: Finding[] = JSON.parse(stdout)
    return { code, of: (about: string) => shownOf(findings, about) }
  }
  return { folder, url, env, run, examine }
}

/** Rewrites the log as anyone with write access to the database could: the server then seals the other events. */
async function rewriteLog(url: string): Promise<void> {
  for (const statement of [
    `update events set at = '2020-01-01T00:00:00.000Z' where seq = 1`,
    'delete from seal_checkpoints',
    'delete from seal_tiles',
    'delete from seal_salts',
    `update followers set last_seq = 0 where name = 'seal'`,
  ]) {
    await readRows(url, statement)
  }
}

for (const engine of engines) {
  const isFile = engine.name === 'sqlite'

  test(`the doctor reports on the disk, the log and the clock (${engine.name})`, async (t) => {
    const { url, env, examine } = await ledgerOn(t, engine)
    const well = await examine()
    assert.equal(well.code, 0)
    assert.match(well.of('log').join(), /^ok it continues what this machine saw of it/)
    assert.match(well.of('clock').join(), /^ok it agrees/)
    if (isFile) {
      assert.match(well.of('disk').join(), /^(ok|warn) .+B free beside the ledger of \d+ kB/)
      assert.match(well.of('wal').join(), /^ok the write-ahead log has \d+ kB$/)
      assert.match(well.of('backup').join(), /^note CONDUCT_BACKUP_DIR is not set here/)
    } else {
      assert.deepEqual(well.of('standby'), ['note none is connected'])
      const risks = well.of('database').join('\n')
      for (const setting of ['fsync=off', 'full_page_writes=off', 'synchronous_commit=off'])
        assert.match(risks, new RegExp(`^warn .*${setting}`, 'm'))
      const ahead = 'data:text/javascript,const now = Date.now; Date.now = () => now() - 90e3'
      const { stdout } = await conduct(['doctor', '--json'], { ...env, NODE_OPTIONS: `--import="${ahead}"` })
      assert.match(shownOf(JSON.parse(stdout), 'clock').join(), /^warn the clock of the database is (89|90|91) s ahead/)
    }
    await readRows(url, `update events set at = '2999-01-01T00:00:00.000Z' where seq = (select max(seq) from events)`)
    const early = await examine()
    assert.equal(early.code, 0)
    assert.match(
      early.of('clock').join(),
      /^warn The newest events are from 2999-01-01T00:00Z, \d+ days ahead of the clock/,
    )
  })

  test(`the doctor finds a log that was rewritten since it last ran (${engine.name})`, async (t) => {
    const { url, run, examine } = await ledgerOn(t, engine)
    assert.equal((await examine()).code, 0)
    await run('run create --title second')
    assert.equal((await examine()).code, 0)
    await rewriteLog(url)
    const found = await examine()
    assert.equal(found.code, 1)
    assert.match(found.of('log').join(), /^fail The log of \S+ has other events among its first \d+.*--forget$/)
    assert.equal((await examine()).code, 1, 'it is not forgotten by looking')
    await run('verify --forget')
    assert.equal((await examine()).code, 0)
  })

  test(`the doctor reports what a server says about its database (${engine.name})`, async (t) => {
    const folder = freshFolder(t)
    const url = await engine.freshUrl(t)
    const backups = join(folder, 'backups')
    const { url: address } = await startServer(t, url, isFile ? { CONDUCT_BACKUP_DIR: backups } : {})
    const examine = async (key: string) => {
      const env = { ...homeOf(folder), CONDUCT_URL: address, CONDUCT_API_KEY: key }
      const { code, stdout } = await programOf(env).all('doctor --json')
      return { code, of: (about: string) => shownOf(JSON.parse(stdout), about) }
    }
    let all = await examine(adminKey)
    // The metrics lack what the database does not tell in time.
    for (let tries = 0; isFile && tries < 20 && !/free beside/.test(all.of('disk').join()); tries++) {
      await sleep(1_000)
      all = await examine(adminKey)
    }
    assert.equal(all.code, 0)
    assert.equal(all.of('database')[0], 'ok it accepts writes')
    assert.equal(all.of('database').length, isFile ? 1 : 4, 'PostgreSQL runs with three risks here')
    assert.match(all.of('disk').join(), isFile ? /free beside the ledger/ : /^$/)
    assert.match(all.of('backup').join(), isFile ? /^(ok the newest one is of|warn there is none)/ : /^$/)
    const { secret } = await createClient({ url: address, key: adminKey }).createKey({
      name: 'narrow',
      permissions: ['agent'],
      project: 'default',
    })
    const narrow = await examine(secret)
    assert.deepEqual([narrow.of('disk'), narrow.of('backup')], [[], []])
    assert.match(narrow.of('log').join(), /^ok/)
    await rewriteLog(url)
    const rewritten = await examine(adminKey)
    assert.equal(rewritten.code, 1)
    assert.match(rewritten.of('log').join(), /^fail The log of http\S+ has other events/)
  })
}

test('the doctor compares the newest backup with the schedule', async (t) => {
  const [sqlite] = engines as [Engine]
  const { folder, examine } = await ledgerOn(t, sqlite)
  const backups = join(folder, 'backups')
  const look = async (keep = '24h') =>
    (await examine({ CONDUCT_BACKUP_DIR: backups, CONDUCT_BACKUP_KEEP: keep })).of('backup').join()
  assert.match(await look(), /^warn there is none yet: conduct serve makes the first one a minute after it starts/)
  mkdirSync(backups)
  writeFileSync(join(backups, backupName(Date.now() - 5 * 3_600_000)), '')
  assert.match(await look(), /^warn the newest one is from 5h ago, and the schedule requires a newer one/)
  assert.match(await look('12m'), /^(ok the newest one is from 5h ago|warn .*)$/)
  writeFileSync(join(backups, backupName(Date.now())), '')
  assert.match(await look(), /^ok the newest one is from /)
})

test('a restored backup does not count as a rewritten log', async (t) => {
  const [sqlite] = engines as [Engine]
  const { folder, run, examine } = await ledgerOn(t, sqlite)
  const backup = join(folder, 'copy.db')
  await run(`backup ${backup}`)
  await run('run create --title second')
  assert.equal((await examine()).code, 0)
  await run(`restore --force ${backup}`)
  assert.equal((await examine()).code, 0)
})

test('the doctor warns of little free space, and of a large write-ahead log', async (t) => {
  const states = (findings: Finding[]) => findings.map(({ state }) => state)
  assert.deepEqual(states(roomFindings(1e6, { walBytes: 1e6, freeBytes: 2e9 })), ['ok', 'ok'])
  assert.deepEqual(states(roomFindings(1e6, { walBytes: 1.1e9, freeBytes: 0.9e9 })), ['warn', 'warn'])
  assert.deepEqual(states(roomFindings(20e9, { walBytes: 0, freeBytes: 3e9 })), ['warn', 'ok'])
  const small = smallDisk(t, '40m')
  if (!small) return
  const folder = freshFolder(t)
  const env = { ...homeOf(folder), CONDUCT_DATABASE_URL: `sqlite:${join(small, 'ledger.db')}` }
  await programOf(env).run('run create')
  const findings: Finding[] = await programOf(env).json('doctor')
  assert.match(shownOf(findings, 'disk').join(), /^warn \d+ MB free beside the ledger of \d+ kB: writes fail once/)
})

test('the doctor warns of clocks that differ by seconds', () => {
  const now = Date.parse('2026-07-15T12:00:00.000Z')
  const states = [
    clockFinding(now, 0, null),
    clockFinding(now, 4_000, '2026-07-15T12:00:04.000Z'),
    clockFinding(now, -9_000, null),
    clockFinding(now, 0, '2026-07-15T12:00:09.000Z'),
  ].map(({ state }) => state)
  assert.deepEqual(states, ['ok', 'ok', 'warn', 'warn'])
})

test('the doctor reports a standby or archive of PostgreSQL that is behind', () => {
  const standby = { name: 'b', state: 'streaming', sync: 'sync', behindBytes: 0 }
  const set = { standbys: [standby], slots: [], waitsForStandby: true, archive: undefined }
  const told = (change: object) =>
    replicationFindings({ ...set, ...change }).map(({ state, told }) => `${state} ${told}`)
  assert.deepEqual(told({}), ['ok b: streaming, sync, 0 kB behind'])
  assert.deepEqual(told({ standbys: [{ ...standby, behindBytes: 9e8 }] }), ['warn b: streaming, sync, 900 MB behind'])
  assert.deepEqual(told({ standbys: [{ ...standby, state: 'catchup' }] }), ['warn b: catchup, sync, 0 kB behind'])
  assert.match(told({ standbys: [] }).join(), /^fail none is connected, and synchronous_standby_names is set/)
  assert.match(told({ standbys: [{ ...standby, sync: 'async' }] })[1] ?? '', /^fail none of them is synchronous/)
  assert.match(
    told({ standbys: [{ name: 'b', state: null, sync: null, behindBytes: null }] }).join(),
    /^note b: .*grant pg_monitor/,
  )
  assert.match(told({ slots: [{ name: 's', keptBytes: 2e9 }] })[1] ?? '', /^warn the slot s keeps 2\.0 GB/)
  assert.deepEqual(told({ slots: [{ name: 's', keptBytes: 2e6 }] }).length, 1)
})

test('the doctor reports the standby of PostgreSQL', async (t) => {
  const cluster = await Cluster.start(t)
  await cluster.renew(true)
  const env = { ...homeOf(freshFolder(t)), CONDUCT_DATABASE_URL: cluster.primaryUrl }
  await programOf(env).run('run create')
  const findings: Finding[] = JSON.parse(await programOf(env).run('doctor --json'))
  assert.match(shownOf(findings, 'standby').join(), /^ok \w+: streaming, sync, \d+ kB behind$/)
  assert.equal(shownOf(findings, 'database').join(), 'ok opens, and has no damage')
})

test('the doctor reports a failing archive_command', async (t) => {
  const flags = ['wal_level=replica', 'archive_mode=on', 'archive_command=false'].flatMap((flag) => ['-c', flag])
  const { postgres, url, remove } = await startPostgres([...flags, '-c', 'max_connections=40'])
  t.after(async () => {
    await postgres.stop()
    remove()
  })
  const env = { ...homeOf(freshFolder(t)), CONDUCT_DATABASE_URL: url }
  const examine = async () => JSON.parse((await programOf(env).all('doctor --json')).stdout) as Finding[]
  await programOf(env).run('run create')
  assert.deepEqual(shownOf(await examine(), 'archive'), ['ok nothing archived yet'])
  await readRows(url, 'select pg_switch_wal()')
  while ((await readRows(url, 'select 1 from pg_stat_archiver where failed_count > 0')).length === 0) await sleep(50)
  assert.match(shownOf(await examine(), 'archive').join(), /^warn archive_command failed at \d{4}-/)
})
