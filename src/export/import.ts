import sql, { empty, join, raw, type Sql } from 'sql-template-tag'
import { ConductError } from '../contract/error.ts'
import type { Db, Tx } from '../engine/db.ts'
import { migrate, readVersion } from '../engine/migrations/migrate.ts'
import { firstVersion, latestVersion, refusalOf, schemaAt } from '../engine/migrations/schema.ts'
import { isRowFault, requirePastTimes, requirePossible } from './check-row.ts'
import { requireFitting } from './check-whole.ts'
import { type ExportLine, type ExportRow, type Header, readExport, type Value } from './lines.ts'
import { type ExportTable, lastIds, tables } from './tables.ts'
import {
  deleteAll,
  deleteDerived,
  deriveAll,
  type ImportProgress,
  readProgress,
  renew,
  requireEmpty,
} from './target.ts'

/** The rows per statement. */
const rowsAtOnce = 100

export interface ImportOptions {
  /** Deletes what an earlier import has left, and starts at the first line. */
  restart?: boolean
  /** Accepts times in the future, which a wrong clock has left in the ledger. */
  acceptFuture?: boolean
  /** Receives the number of each line up to which everything is stored. */
  onProgress?: (line: number) => void
}

export interface Imported {
  ledger: string
  withKeys: boolean
  rows: Record<string, number>
}

/**
 * Fills an empty database with an export. The database is marked as incomplete until the end: nothing else opens it
 * meanwhile, and the same import continues where an earlier one stopped. Throws BAD_REQUEST for a wrong line, and
 * deletes what it has stored; CONFLICT if the ledger is not empty, or incomplete from another export.
 */
export async function importLedger(
  db: Db,
  source: AsyncIterable<Uint8Array>,
  { restart = false, acceptFuture = false, onProgress = () => {} }: ImportOptions = {},
): Promise<Imported> {
  const groups = readExport(source)
  const first: ExportLine[] = (await groups.next()).value ?? []
  const header = headerOf(first)
  await prepareSchema(db, header)
  const lines = (async function* () {
    const ofPast = (group: ExportLine[]) => {
      if (!acceptFuture) requirePastTimes(group, db.now())
      return group
    }
    yield ofPast(first)
    for await (const group of groups) yield ofPast(group)
  })()
  const rows = await db.changeSchema((own) => store(own, header, lines, { restart, onProgress }), ignore)
  await migrate(db)
  await db.changeSchema((own) => own.tx(finish), ignore)
  return { ledger: header.ledger, withKeys: header.withKeys, rows }
}

const ignore = () => {}

/** The reader has checked that the first line is a header. */
function headerOf([line]: ExportLine[]): Header {
  if (line && 'header' in line.content) return line.content.header
  throw new Error('Bug: an export was read without its header.')
}

/** Migrates the database to the schema version of the export. Throws BAD_REQUEST if that is impossible. */
async function prepareSchema(db: Db, { schema }: Header): Promise<void> {
  const refusal = schema < firstVersion ? 'exports begin with version 14' : refusalOf(schema)
  if (refusal) {
    throw new ConductError('BAD_REQUEST', `Line 1: the export has schema version ${schema}, and ${refusal}.`)
  }
  const found = await readVersion(db)
  if (found > schema) {
    throw new ConductError(
      'BAD_REQUEST',
      `Line 1: the export has schema version ${schema}, and the database has ${found}: import into one that no newer Conduct has opened.`,
    )
  }
  await migrate(db, ignore, schemaAt(schema))
}

type Lines = AsyncIterable<ExportLine[]>

async function store(
  own: Tx,
  header: Header,
  groups: Lines,
  { restart, onProgress }: Required<Pick<ImportOptions, 'restart' | 'onProgress'>>,
) {
  const from = await own.tx((tx) => begin(tx, header, restart))
  let rows: Record<string, number> = {}
  let last: ImportProgress = { ledger: header.ledger, line: 0, crc32: '' }
  try {
    for await (const group of groups) {
      const fresh = after(from, last, group)
      const end = group.at(-1)
      if (end) last = { ...last, line: end.number, crc32: end.crc32 }
      if (end && 'trailer' in end.content) rows = end.content.trailer.rows
      if (fresh.length === 0) continue
      await own.tx((tx) => storeGroup(tx, header, fresh, last))
      onProgress(last.line)
    }
    if (last.line < from.line) throw otherExport(from)
    await own.tx(requireFitting)
    return rows
  } catch (error) {
    if (!isRefusal(error)) throw error
    await own.tx(async (tx) => {
      await deleteAll(tx, header.schema)
      await renew(tx)
      await tx.query(sql`delete from imports`)
    })
    throw error
  }
}

/** Whether the export itself is wrong, so that a retry cannot help. */
const isRefusal = (error: unknown) => error instanceof ConductError && error.code === 'BAD_REQUEST'

/** Marks the ledger as incomplete, or finds the progress of an earlier import. */
async function begin(tx: Tx, { ledger, schema }: Header, restart: boolean): Promise<ImportProgress> {
  const before = await readProgress(tx)
  if (before && !restart) return before
  if (!before) await requireEmpty(tx)
  await deleteAll(tx, schema)
  await tx.query(sql`delete from imports`)
  await tx.query(sql`insert into imports (id, ledger, line, crc32) values (1, ${ledger}, 0, '')`)
  return { ledger, line: 0, crc32: '' }
}

/** The lines of a group that are not stored yet. Throws CONFLICT if an earlier import had other lines. */
function after(from: ImportProgress, last: ImportProgress, group: ExportLine[]): ExportLine[] {
  const end = group.find(({ number }) => number === from.line)
  if (from.ledger !== last.ledger || (end && end.crc32 !== from.crc32)) {
    throw otherExport(from)
  }
  return group.filter(({ number }) => number > from.line)
}

const otherExport = ({ ledger, line }: ImportProgress) =>
  new ConductError(
    'CONFLICT',
    `An import of another export of ${ledger} stopped at line ${line}: give that export, or --restart to remove what it left.`,
  )

async function storeGroup(tx: Tx, header: Header, lines: ExportLine[], { line, crc32 }: ImportProgress): Promise<void> {
  const before = (lines[0]?.number ?? 1) - 1
  const [isNext] = await tx.query(sql`update imports set line = ${line}, crc32 = ${crc32}
    where id = 1 and line = ${before} returning 1 as one`)
  if (!isNext) throw new ConductError('CONFLICT', 'Another import into this ledger is in progress: wait until it ends.')
  for (const some of runsOf(lines)) await insertRows(tx, header, some)
}

interface StoredRow {
  number: number
  table: string
  row: ExportRow
}

/** Groups the rows of lines that one statement can insert. */
function runsOf(lines: ExportLine[]): StoredRow[][] {
  const runs: StoredRow[][] = []
  for (const { number, content } of lines) {
    if (!('table' in content)) continue
    const last = runs.at(-1)
    if (last && last.length < rowsAtOnce && last[0]?.table === content.table) last.push({ number, ...content })
    else runs.push([{ number, ...content }])
  }
  return runs
}

async function insertRows(tx: Tx, { withKeys }: Header, rows: StoredRow[]): Promise<void> {
  const { table: name, number } = rows[0] as StoredRow
  if (name === lastIds) {
    for (const { row, number } of rows) {
      requirePossible(name, row, number)
      await setLastId(tx, row)
    }
    return
  }
  const table = tables.find((one) => one.name === name)
  if (!table) throw new ConductError('BAD_REQUEST', `Line ${number}: there is no table '${name}' in an export.`)
  for (const stored of rows) requirePossible(name, stored.row, stored.number)
  const full = rows.map((stored) => filled(table, withKeys ? stored.row : keyless(table, stored)))
  const columns = Object.keys(full[0] as ExportRow)
  if (!columns.every((column) => /^[a-z][a-z0-9_]*$/.test(column))) {
    throw new ConductError('BAD_REQUEST', `Line ${number} has columns that no table has.`)
  }
  const values = full.map((row) => sql`(${join(columns.map((column) => boundOf(row[column])))})`)
  try {
    await tx.query(sql`insert into ${raw(name)} (${join(columns.map((column) => raw(column)))}) ${ownIds(tx, table)}
      values ${join(values)}`)
  } catch (error) {
    if (!isRowFault(error)) throw error
    const where = rows.length === 1 ? `Line ${number}` : `Lines ${number} to ${rows.at(-1)?.number}`
    throw new ConductError('BAD_REQUEST', `${where}: the database refuses a row of ${name}: ${error.message}.`)
  }
}

const ownIds = (tx: Tx, { key }: ExportTable): Sql => (key.join() === 'id' ? tx.dialect.ownIds : empty)

/** A row of an export whose header says that it has no keys. Throws BAD_REQUEST if it is or has one. */
function keyless({ isSecret, secret = [], withoutKeys }: ExportTable, { row, number }: StoredRow): ExportRow {
  if (isSecret || secret.some((column) => column in row)) {
    throw new ConductError(
      'BAD_REQUEST',
      `Line ${number}: the header says that the export has no keys, and this is one.`,
    )
  }
  return withoutKeys ? (withoutKeys(row) as ExportRow) : row
}

const filled = ({ secret = [], filled }: ExportTable, row: ExportRow): ExportRow =>
  filled && secret.every((column) => !(column in row)) ? { ...row, ...filled() } : row

const boundOf = (value: Value | undefined) =>
  typeof value === 'object' && value !== null ? Buffer.from(value.base64, 'base64') : (value ?? null)

async function setLastId(tx: Tx, { table, id }: ExportRow): Promise<void> {
  const known = tables.find(({ name }) => name === table)
  if (known) for (const statement of tx.dialect.setLastId(known.name, Number(id))) await tx.query(statement)
}

async function finish(tx: Tx): Promise<void> {
  // Migrations from the version of an older export have derived some of it already.
  await deleteDerived(tx, latestVersion)
  await deriveAll(tx)
  await tx.query(sql`delete from imports`)
}
