import { setImmediate as turn } from 'node:timers/promises'
import sql, { raw } from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import type { Tx } from '../../engine/db.ts'
import { listOf } from '../../frame/pieces.ts'
import { usageOf } from './fields.ts'
import { readModels, scanTurns, writeModels } from './model/keep.ts'
import { personHash } from './person.ts'
import { columns, type RunRow } from './row.ts'
import { addTouched, type Touched } from './touched.ts'

/** What lists find runs by that an upgrade or an import left to be filled in, in small slices. */

/** How far one of them is: everything from this place on is filled in. */
interface BackfillPosition {
  run_id: number
  path: string
}

/** Fills in the slice before a place. Returns the next place; undefined if nothing is left. */
type Fill = (tx: Tx, place: BackfillPosition) => Promise<BackfillPosition | undefined>

const fills = { run_paths: fillPaths, author_person: fillPersons, run_models: fillModels } satisfies Record<
  string,
  Fill
>
type Backfill = keyof typeof fills

const filesAtOnce = 200
const runsAtOnce = 500
const modelsAtOnce = 50

/**
 * Fills in a slice of the first one that is not complete, or of `only`. It continues wherever an earlier call stopped, and
 * any server may call it. Returns whether there may be more.
 */
export async function backfillNext(db: Tx, only?: Backfill): Promise<boolean> {
  const wanted = only ? sql`name = ${only}` : sql`true`
  const open = await db.query<{ name: Backfill }>(sql`select name from backfills where ${wanted} limit 1`)
  const name = open[0]?.name
  if (name === undefined) return false
  await db.tx(async (tx) => {
    const [place] = await tx.query<BackfillPosition>(sql`
      select run_id, path from backfills where name = ${name} ${tx.dialect.forUpdate}`)
    if (!place) return
    const next = await fills[name](tx, place)
    await tx.query(
      next
        ? sql`update backfills set run_id = ${next.run_id}, path = ${next.path} where name = ${name}`
        : sql`delete from backfills where name = ${name}`,
    )
  })
  return true
}

/** From the newest run to the oldest. */
async function fillPaths(tx: Tx, { run_id, path }: BackfillPosition): Promise<BackfillPosition | undefined> {
  const isBefore = sql`(run_id, path) < (${run_id}, ${path})`
  const slice = await tx.query<BackfillPosition>(sql`
    select run_id, path from run_files where ${isBefore} order by run_id desc, path desc limit ${raw(String(filesAtOnce))}`)
  const last = slice.at(-1)
  if (!last) return undefined
  // Locked before they are read: a turn may restore a file meanwhile.
  await lock(
    tx,
    slice.map((file) => file.run_id),
  )
  const files = await tx.query<Touched>(sql`
    select run_id as run, path from run_files where ${isBefore} and (run_id, path) >= (${last.run_id}, ${last.path})`)
  await addTouched(tx, files)
  return last
}

async function fillPersons(tx: Tx, { run_id }: BackfillPosition): Promise<BackfillPosition | undefined> {
  const from = run_id - runsAtOnce
  const runs = await tx.query<{ id: number; author: string }>(sql`
    select id, author from runs where id >= ${from} and id < ${run_id} and author is not null and author_person is null
    order by id ${tx.dialect.forUpdate}`)
  for (const [author, some] of Map.groupBy(runs, (run) => run.author)) {
    const ids = listOf(some.map(({ id }) => id))
    await tx.query(sql`update runs set author_person = ${personHash(author)} where id in (${ids})`)
  }
  return from > 0 ? { run_id: from, path: '' } : undefined
}

/** From the newest run to the oldest. */
async function fillModels(tx: Tx, { run_id }: BackfillPosition): Promise<BackfillPosition | undefined> {
  const slice = await tx.query<{ id: number }>(sql`
    select id from runs where id < ${run_id} order by id desc limit ${modelsAtOnce}`)
  const last = slice.at(-1)?.id
  if (last === undefined) return undefined
  const ids = slice.map(({ id }) => id)
  await lock(tx, ids)
  const runs = await tx.query<RunRow>(
    sql`select ${columns} from runs where runs.id in (${listOf(ids)}) order by runs.id`,
  )
  const byRun = await scanTurns(tx, ids)
  const known = Map.groupBy(await readModels(tx, ids), (row) => row.run_id)
  for (const run of runs) {
    await writeModels(tx, run, known.get(run.id) ?? [], {
      usage: usageOf(run),
      byModel: byRun.get(run.id) ?? new Map(),
    })
  }
  return { run_id: last, path: '' }
}

const lock = (tx: Tx, runs: number[]) =>
  tx.query(sql`select id from runs where id in (${listOf([...new Set(runs)])}) order by id ${tx.dialect.forUpdate}`)

/** How long a list fills in what it needs itself, in milliseconds. */
const patienceMs = 20_000

/** Waits until all runs are findable by something, and helps to fill it in. Throws UNAVAILABLE if that takes too long. */
export async function requireFilled(db: Tx, name: Backfill): Promise<void> {
  const end = performance.now() + patienceMs
  while (await backfillNext(db, name)) {
    if (performance.now() > end) throw unfilled()
    await turn()
  }
}

const unfilled = () =>
  new ConductError(
    'UNAVAILABLE',
    'After an upgrade or an import, the index of files, authors and models is still being built: try again in a minute.',
    { retryAfter: 60, isPlanned: true },
  )

/** Leaves everything to be filled in, after the rows of runs were written without it. */
export async function leaveToBackfill(tx: Tx): Promise<void> {
  const last: Record<Backfill, ReturnType<typeof sql>> = {
    run_paths: sql`select max(run_id) as last from run_files`,
    author_person: sql`select max(id) as last from runs where author is not null and author_person is null`,
    run_models: sql`select max(id) as last from runs`,
  }
  for (const [name, select] of Object.entries(last)) {
    await tx.query(sql`insert into backfills (name, run_id, path)
      select ${name}, last + 1, '' from (${select}) as newest where last is not null`)
  }
}
