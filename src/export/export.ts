import sql, { empty, join, raw, type Sql } from 'sql-template-tag'
import type { DatabaseSnapshot, Db } from '../engine/db.ts'
import { numberEvents } from '../log/number.ts'
import { exportFormat, type Header, LineWriter, textHash, type Value } from './lines.ts'
import { type ExportTable, handsOutIds, isIn, lastIds, tables } from './tables.ts'

const rowsAtOnce = 500
/** Lines are passed on in pieces of about this many characters. */
const pieceLength = 65_536

interface ExportOptions {
  /** Whether to include the secrets of keys, webhooks and the seal. */
  withKeys: boolean
}

type Row = Record<string, unknown>

/**
 * The whole ledger at one moment, as lines of JSON. Writers are not blocked. It reads on only when the next piece is
 * requested. A caller that stops early must return the generator.
 */
export async function* exportLedger(db: Db, { withKeys }: ExportOptions): AsyncGenerator<string> {
  await numberEvents(db)
  const snapshot = await db.snapshot()
  try {
    const writer = new LineWriter()
    const header = await headerOf(snapshot, withKeys)
    let piece = writer.header(header)
    for await (const { table, rows } of pagesOf(snapshot, header)) {
      for (const row of rows) {
        piece += writer.row({ table, row, ...(table === 'document_parts' && { sha256: textHash(String(row.text)) }) })
        if (piece.length < pieceLength) continue
        yield piece
        piece = ''
      }
    }
    yield piece + writer.trailer()
  } finally {
    await snapshot.close()
  }
}

async function headerOf({ query }: DatabaseSnapshot, withKeys: boolean) {
  const [row] = await query<{ ledger: string; schema: number }>(sql`
    select (select origin from seal_keys order by id desc limit 1) as ledger,
      (select max(version) from schema_versions) as "schema"`)
  const { ledger, schema } = row as NonNullable<typeof row>
  return { format: exportFormat, ledger, schema, withKeys }
}

interface TablePage {
  table: string
  rows: Record<string, Value>[]
}

async function* pagesOf(snapshot: DatabaseSnapshot, { withKeys, schema }: Header): AsyncGenerator<TablePage> {
  const own = tables.filter(isIn(schema))
  // Read first: on PostgreSQL, sequences are not part of the snapshot, and must not be behind it.
  const ids = await readLastIds(snapshot, own)
  for (const table of own) {
    if (table.isSecret && !withKeys) continue
    const shape = shaper(table, withKeys)
    for await (const rows of rowsOf(snapshot, table)) yield { table: table.name, rows: rows.map(shape) }
  }
  yield { table: lastIds, rows: ids }
}

async function readLastIds({ dialect, query }: DatabaseSnapshot, own: ExportTable[]): Promise<TablePage['rows']> {
  const rows: TablePage['rows'] = []
  for (const { name } of own.filter(handsOutIds)) {
    const [row] = await query<{ id: number }>(dialect.lastId(name))
    rows.push({ table: name, id: row?.id ?? 0 })
  }
  return rows
}

async function* rowsOf(snapshot: DatabaseSnapshot, table: ExportTable): AsyncGenerator<Row[]> {
  let last: Row | undefined
  for await (const rows of walk(snapshot, table)) {
    last = rows.at(-1)
    yield rows
  }
  if (table.name !== 'events' || snapshot.dialect.commitsInOrder) return
  // Events without a number get the next ones.
  let seq = Number(last?.seq ?? 0)
  for await (const rows of walk(snapshot, { name: 'pending_events', key: ['id'] })) {
    yield rows.map(({ id: _, ...event }) => ({ seq: ++seq, ...event }))
  }
}

/** All rows of a table in the order of its key, in pages. */
async function* walk({ query }: DatabaseSnapshot, { name, key, where = sql`1 = 1`, atOnce = rowsAtOnce }: ExportTable) {
  const columns = join(key.map((column) => raw(column)))
  const walked = (after: Sql) =>
    query<Row>(sql`select * from ${raw(name)} where ${where} ${after} order by ${columns} limit ${atOnce}`)
  let rows = await walked(empty)
  while (rows.length > 0) {
    yield rows
    const last = rows.at(-1) as Row
    if (rows.length < atOnce) return
    rows = await walked(sql`and (${columns}) > (${join(key.map((column) => last[column] as Value))})`)
  }
}

/** Returns a function that turns rows into their exported form: the key first, then the other columns by name. */
function shaper({ key, live = [], secret = [], withoutKeys }: ExportTable, withKeys: boolean) {
  const left = new Set([...live, ...(withKeys ? [] : secret)])
  let columns: string[] | undefined
  return (stored: Row) => {
    const row = withKeys || !withoutKeys ? stored : withoutKeys(stored)
    columns ??= [
      ...key,
      ...Object.keys(row)
        .filter((name) => !key.includes(name) && !left.has(name))
        .sort(),
    ]
    const shaped: Record<string, Value> = {}
    for (const name of columns) shaped[name] = asValue(row[name])
    return shaped
  }
}

function asValue(stored: unknown): Value {
  if (!(stored instanceof Uint8Array)) return stored as Value
  return { base64: Buffer.from(stored.buffer, stored.byteOffset, stored.length).toString('base64') }
}
