import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { backupState, readKeep } from '../src/engine/sqlite/backups.ts'
import { backupJob } from '../src/server/jobs/backup.ts'
import { freshFolder } from './cli/folder.ts'
import { programOf } from './cli/program.ts'
import { readRows } from './proof/database.ts'
import { engines, openLedger } from './support/engines.ts'
import { freePort } from './support/setup.ts'

const [sqlite] = engines

/** A ledger, a job that backs it up, and a clock that the test sets. */
async function scheduled(t: TestContext, keep: string) {
  if (!sqlite) throw new Error('Bug: there is no SQLite.')
  const ledger = await openLedger(t, sqlite)
  const folder = join(freshFolder(t), 'backups')
  const failures: Error[] = []
  let at = '2026-07-15T12:00:30.000Z'
  const options = { path: ledger.url.slice('sqlite:'.length), folder, keep: readKeep(keep) }
  const job = backupJob(options, { now: () => at, doubt: () => undefined }, (error) => failures.push(error))
  t.after(() => job.stop?.())
  const names = () => (existsSync(folder) ? readdirSync(folder).sort() : [])
  return {
    ...ledger,
    folder,
    failures,
    job,
    names,
    /** Sets the clock to that time and runs the job until `isDone`. */
    async look(time: string, isDone: () => boolean) {
      at = time
      do {
        await job.step(5)
        await sleep(5)
      } while (!isDone())
    },
  }
}

test('the server backs up once an hour, and removes only backups that the policy does not keep', async (t) => {
  const { client, folder, job, names, look, failures } = await scheduled(t, '2h,2d')
  await client.createRun({ title: 'first' })
  const [one, two, three] = ['11', '12', '13'].map((hour) => `conduct-20260716T${hour}0000Z.db`)
  await look('2026-07-15T12:00:30.000Z', () => failures.length > 0 || names().includes('conduct-20260715T120030Z.db'))
  assert.deepEqual(failures, [])
  assert.equal(statSync(folder).mode & 0o777, 0o700)
  writeFileSync(join(folder, 'conduct-mine.db'), '')
  for (const hour of ['11', '12', '13']) {
    await look(`2026-07-16T${hour}:00:00.000Z`, () => names().includes(`conduct-20260716T${hour}0000Z.db`))
    await until(async () => !(await job.step(5)) && names().every((name) => !name.endsWith('.part')))
  }
  const kept = ['conduct-20260715T120030Z.db', two, three, 'conduct-mine.db']
  await until(() => !names().includes(one ?? ''))
  await job.step(5)
  await job.stop?.()
  assert.deepEqual(names(), kept)
  const rows = await readRows(`sqlite:${join(folder, three ?? '')}`, 'select title from runs')
  assert.deepEqual(rows, [{ title: 'first' }])
})

test('a backup of a clock that was far ahead takes the place of no other', async (t) => {
  const { folder, names, look, job } = await scheduled(t, '1h')
  mkdirSync(folder)
  const ahead = 'conduct-20260814T120000Z.db'
  writeFileSync(join(folder, ahead), '')
  const now = Date.parse('2026-07-15T12:00:30.000Z')
  assert.deepEqual(await backupState(folder, readKeep('1h'), now), { count: 0, newest: undefined, isOverdue: true })
  const made = ['conduct-20260715T120030Z.db', 'conduct-20260715T130000Z.db']
  await look('2026-07-15T12:00:30.000Z', () => names().includes(made[0] ?? ''))
  await until(async () => !(await job.step(5)) && names().every((name) => !name.endsWith('.part')))
  await look('2026-07-15T13:00:00.000Z', () => names().includes(made[1] ?? ''))
  await until(() => !names().includes(made[0] ?? ''))
  await until(() => names().every((name) => !name.includes('.part')))
  assert.deepEqual(names(), [made[1], ahead])
  const { newest, isOverdue } = await backupState(folder, readKeep('1h'), now + 3_600_000)
  assert.deepEqual([newest?.at, isOverdue], [Date.parse('2026-07-15T13:00:00.000Z'), false])
})

test('a scheduled backup removes what killed servers have left of earlier ones', async (t) => {
  const { folder, names, look } = await scheduled(t, '1h')
  mkdirSync(folder)
  const longAgo = Date.now() / 1000 - 7200
  const put = (name: string, isOld: boolean) => {
    writeFileSync(join(folder, name), 'half')
    if (isOld) utimesSync(join(folder, name), longAgo, longAgo)
  }
  const draft = 'conduct-20260714T120000Z.db.0badcafe.part'
  for (const end of ['', '-journal', '-wal']) put(draft + end, true)
  const kept = ['conduct-20260714T130000Z.db.00c0ffee.part', 'conduct-mine.db.0badcafe.part', 'mine.part']
  for (const [index, name] of kept.entries()) put(name, index > 0)
  const made = 'conduct-20260715T120030Z.db'
  await look('2026-07-15T12:00:30.000Z', () => names().includes(made))
  await until(() => !names().some((name) => name.startsWith(`${made}.`)))
  assert.deepEqual(names(), [kept[0], made, ...kept.slice(1)])
})

async function until(isSo: () => boolean | Promise<boolean>) {
  while (!(await isSo())) await sleep(5)
}

test('the job reports a failed backup, and tries again later', async (t) => {
  const { folder, failures, look, job } = await scheduled(t, '1h')
  writeFileSync(folder, 'a file, and no folder')
  await look('2026-07-15T12:00:30.000Z', () => failures.length > 0)
  const lines: string[] = []
  pino({}, { write: (line: string) => void lines.push(line) }).warn({ err: failures[0] }, 'background work failed')
  const { message } = JSON.parse(lines[0] ?? '').err
  assert.match(message, /^The backup in \S+ failed: \w+: [^:]+$/, 'the reason, once')
  await job.step(5)
  await job.stop?.()
  assert.equal(failures.length, 1)
})

test('a server that stops cancels its backup, and leaves no partial file', async (t) => {
  const { client, job, names, failures } = await scheduled(t, '1h')
  for (let n = 0; n < 20; n++) await client.createRun({ content: 'x'.repeat(1_000_000) })
  await job.step(5)
  await until(() => names().some((name) => name.endsWith('.part')))
  await job.stop?.()
  assert.deepEqual([names(), failures], [[], []])
})

test('a backup does not block the event loop', async (t) => {
  const { client, names, look } = await scheduled(t, '1h')
  for (let n = 0; n < 40; n++) await client.createRun({ content: 'x'.repeat(1_000_000) })
  let rounds = 0
  // While this process waits for a processor, a backup may end.
  for (let hour = 12; rounds < 10 && hour < 15; hour++) {
    rounds = 0
    const made = `conduct-20260715T${hour}0030Z.db`
    await look(`2026-07-15T${hour}:00:30.000Z`, () => ++rounds > 0 && names().includes(made))
  }
  t.diagnostic(`${rounds} rounds of the event loop during a backup`)
  assert.ok(rounds >= 10)
})

test('a server without a database file rejects a folder for backups', async (t) => {
  const env = {
    HOME: freshFolder(t),
    PATH: process.env.PATH,
    CONDUCT_BACKUP_DIR: 'x',
    CONDUCT_PORT: String(await freePort()),
  }
  for (const url of ['sqlite::memory:', 'postgres://127.0.0.1:1/none']) {
    const { code, stderr } = await programOf({ ...env, CONDUCT_DATABASE_URL: url }).all('serve')
    assert.equal(code, 2)
    assert.match(
      stderr,
      /CONDUCT_BACKUP_DIR works only for a ledger in an SQLite file\. For one in PostgreSQL, back it up with pg_dump/,
    )
  }
})
