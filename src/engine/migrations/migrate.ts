import sql, { raw } from 'sql-template-tag'
import type { Db, Tx } from '../db.ts'
import {
  latestOf,
  type Migration,
  type MigrationStep,
  type ReportProgress,
  refusalOf,
  type SchemaVersions,
  schema as today,
} from './schema.ts'

/** The interval of progress lines, and how long to wait for another process before the first. */
const sayEveryMs = 10_000
const waitedMs = 2_000

/**
 * Migrates the schema, each version in its own transaction. Servers that start at the same time wait for each other as
 * long as it takes. `say` receives a line when a populated database is migrated, and progress lines meanwhile. Throws
 * if the schema is newer than this program, or of no release.
 */
export async function migrate(
  db: Db,
  say: (line: string) => unknown = () => {},
  schema: SchemaVersions = today,
): Promise<void> {
  const latest = latestOf(schema)
  if ((await readVersion(db)) === latest) return
  const waiting = seldom(waitedMs, () => say('Waiting for another process to upgrade the database.'))
  await db.changeSchema(async (own) => {
    await own.query(sql`create table if not exists schema_versions (version ${raw(own.dialect.integer)} primary key)`)
    const found = await readVersion(own)
    const refusal = refusalOf(found, schema)
    if (refusal) throw new Error(`The database has schema version ${found}, and ${refusal}.`)
    for (const { version, migration } of waysFrom(found, schema)) {
      const label = `Upgrading the database: version ${version} of ${latest}`
      if (found > 0) say(`${label}.`)
      await withHeartbeat(label, say, (progress) => bringTo(own, version, migration, progress))
    }
  }, waiting)
}

/** The migrations from that version to the newest, each with the version it reaches. */
function waysFrom(found: number, { first, create, earlier, later }: SchemaVersions) {
  const start = found === 0 ? create : earlier[found]
  const rest = later.map((migration, index) => ({ version: first + 1 + index, migration }))
  return [...(start ? [{ version: first, migration: start }] : []), ...rest.filter(({ version }) => version > found)]
}

/** Whether the ledger has that table or index. */
export const has = async (db: Tx, name: string): Promise<boolean> => (await db.query(db.dialect.has(name))).length > 0

/** The version of the schema; 0 before the first. */
export async function readVersion(db: Tx): Promise<number> {
  if (!(await has(db, 'schema_versions'))) return 0
  const [row] = await db.query<{ version: number }>(
    sql`select coalesce(max(version), 0) as version from schema_versions`,
  )
  return row?.version ?? 0
}

async function bringTo(own: Tx, version: number, migration: Migration, progress: ReportProgress): Promise<void> {
  const steps = migration(own.dialect)
  await own.tx(async (tx) => {
    // If the schema is not locked as a whole, another process may have been faster.
    if ((await readVersion(tx)) >= version) return
    for (const step of steps) await run(tx, step, progress)
    await tx.query(sql`insert into schema_versions (version) values (${version})`)
  })
}

async function run(tx: Tx, step: MigrationStep, progress: ReportProgress): Promise<void> {
  if (typeof step === 'function') await step(tx, progress)
  else await tx.query(raw(step))
}

/** Runs `work`, and reports its progress at intervals. */
async function withHeartbeat(
  label: string,
  say: (line: string) => unknown,
  work: (progress: ReportProgress) => Promise<void>,
) {
  const started = performance.now()
  let done = ''
  const beat = seldom(sayEveryMs, () =>
    say(`${label}, ${done}${Math.round((performance.now() - started) / 1000)} s so far.`),
  )
  const timer = setInterval(beat, sayEveryMs / 10).unref()
  try {
    await work((count, of) => {
      done = `${count.toLocaleString('en')} of ${of.toLocaleString('en')}, `
      // On SQLite, statements block the event loop and thus the timer.
      beat()
    })
  } finally {
    clearInterval(timer)
  }
}

/** Forwards a call once `firstMs` have passed, then at most one every ten seconds. */
function seldom(firstMs: number, call: () => void): () => void {
  let next = performance.now() + firstMs
  return () => {
    if (performance.now() < next) return
    next = performance.now() + sayEveryMs
    call()
  }
}
