import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { startServer } from '../support/server.ts'
import { freePort } from '../support/setup.ts'
import { readRows } from './database.ts'
import { requireHeld } from './held.ts'
import { size } from './size.ts'
import { clientOf, startWriters, type Touched } from './writers.ts'

const page = readFileSync(new URL('../../docs/backup.md', import.meta.url), 'utf8')
const blocks = [...page.slice(page.indexOf('## PostgreSQL')).matchAll(/^```(console|ini)\n([\s\S]*?)^```$/gm)]
const [dump, restoreDump, archiving, baseBackup, restoreBase, toMoment] = blocks.map(([, , text = '']) => text)
const backupFolder = '/var/backups/conduct'
const shownMoment = '2026-07-15 12:00:00+00'

/** The folder of the newest PostgreSQL with tools. */
function binaries(): string {
  const [newest] = globSync('/usr/lib/postgresql/*/bin/pg_basebackup').sort().reverse()
  return dirname(newest ?? assert.fail('PostgreSQL is missing: apt-get install postgresql'))
}

const never = () => false

/** A PostgreSQL of the system, which runs as the user postgres, because it refuses to run as root. */
class Database {
  readonly folder: string
  readonly data: string
  readonly url: string
  readonly #port: number

  private constructor(folder: string, port: number) {
    this.folder = folder
    this.data = join(folder, 'data')
    this.#port = port
    this.url = `postgres://conduct@127.0.0.1:${port}/postgres`
  }

  static async start(t: TestContext): Promise<Database> {
    const folder = mkdtempSync(join(tmpdir(), 'conduct-archive-'))
    chmodSync(folder, 0o755)
    mkdirSync(join(folder, 'wal'))
    const database = new Database(folder, await freePort())
    const isRoot = process.getuid?.() === 0
    if (isRoot) for (const path of [folder, join(folder, 'wal')]) own(path)
    t.after(async () => {
      await database.stop('immediate')
      rmSync(folder, { recursive: true, force: true })
    })
    await database.run(`initdb --username=conduct --auth=trust --encoding=UTF8 --locale=C --pgdata="$PGDATA"`)
    appendFileSync(join(database.data, 'postgresql.conf'), database.#local(archiving))
    await database.begin()
    return database
  }

  #local(text = ''): string {
    return text.replaceAll(backupFolder, this.folder)
  }

  /**
   * Runs a block of the page, with the folder of this test instead of the page's. Throws its error output if it fails.
   */
  async run(text = ''): Promise<void> {
    const script = `cd "${this.folder}"\n${this.#local(text)}`
    const env = { PATH: `${binaries()}:/usr/bin:/bin`, PGDATA: this.data, CONDUCT_DATABASE_URL: this.url }
    const isRoot = process.getuid?.() === 0
    await promisify(execFile)('sh', ['-e', '-c', script], { env, ...(isRoot && postgresUser()) })
  }

  begin(): Promise<void> {
    const options = `-p ${this.#port} -k '' -c listen_addresses=127.0.0.1`
    return this.run(`pg_ctl start --wait --log=server.log --options="${options}"`)
  }

  async stop(mode: 'fast' | 'immediate'): Promise<void> {
    if (existsSync(join(this.data, 'postmaster.pid'))) await this.run(`pg_ctl stop --mode=${mode} --wait`)
  }

  /** Waits until everything written so far is in the archive. */
  async archived(): Promise<void> {
    const [row] = await readRows<{ name: string }>(this.url, 'select pg_walfile_name(pg_switch_wal()) as name')
    while (!existsSync(join(this.folder, 'wal', row?.name ?? ''))) await sleep(50)
  }

  /** Waits until a restored server accepts writes. */
  async writable(): Promise<void> {
    const isThere = () => readRows(this.url, `create temp table writable ()`).then(() => true, never)
    while (!(await isThere())) await sleep(50)
  }
}

function postgresUser() {
  const { stdout } = spawnSync('id', ['-u', 'postgres'], { encoding: 'utf8' })
  const { uid, gid } = statSync('/var/lib/postgresql', { throwIfNoEntry: false }) ?? {
    ...userInfo(),
    uid: Number(stdout),
  }
  return { uid, gid }
}

function own(path: string) {
  const { uid, gid } = postgresUser()
  chownSync(path, uid, gid)
}

/** Lets 16 writers make some hundred changes, and adds what they touched to `held`. */
async function write(t: TestContext, url: string, name: string, held: Touched, meanwhile = async () => {}) {
  const server = await startServer(t, url)
  const writers = startWriters(t, clientOf(server), name, never)
  await writers.until(() => writers.acknowledged() >= size(60, 500))
  await meanwhile()
  await writers.stop()
  assert.equal(await server.end('SIGTERM'), 0)
  for (const [runId, states] of writers.touched) held.set(runId, states)
}

test('the page has the six blocks that these tests run', () => {
  assert.equal(blocks.length, 6)
  assert.ok(toMoment?.includes(shownMoment))
})

test('a pg_dump under 16 writers, restored, contains every write acknowledged before', async (t) => {
  const database = await Database.start(t)
  const held: Touched = new Map()
  await write(t, database.url, 'before', held)
  await write(t, database.url, 'while', new Map(), () => database.run(dump))
  await database.run(restoreDump)
  await requireHeld(database.url.replace(/\/\w+$/, '/conduct_restored'), held)
  t.diagnostic(`${held.size} runs`)
})

test('a base backup with the archived log restores every write, and the state at any time', async (t) => {
  const database = await Database.start(t)
  const held: Touched = new Map()
  await write(t, database.url, 'before', held)
  await write(t, database.url, 'while', held, () => database.run(baseBackup))
  const atMoment: Touched = new Map(held)
  const [moment] = await readRows<{ now: string }>(database.url, 'select clock_timestamp()::text as now')
  await write(t, database.url, 'later', held)
  await database.archived()
  await database.stop('immediate')

  await database.run(restoreBase)
  await database.begin()
  await database.writable()
  await requireHeld(database.url, held)
  await database.stop('fast')

  rmSync(`${database.data}.before`, { recursive: true })
  await database.run(restoreBase)
  await database.run(toMoment?.replace(shownMoment, moment?.now ?? ''))
  await database.begin()
  await database.writable()
  await requireHeld(database.url, atMoment)
  const later = await readRows(database.url, `select 1 from runs where run_id like 'later-%' limit 1`)
  assert.deepEqual(later, [], 'what came after the moment is not there')
  t.diagnostic(`${held.size} runs, ${atMoment.size} of them at the moment`)
})
