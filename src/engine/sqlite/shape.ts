import { hash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import sql, { raw } from 'sql-template-tag'
import { ConductError } from '../../contract/error.ts'
import { shapeOfVersion4 } from '../migrations/from-4.ts'
import { migrate } from '../migrations/migrate.ts'
import { firstVersion, schemaAt } from '../migrations/schema.ts'
import { openSqlite } from '../sqlite.ts'

/** What SQLite itself adds: sequences, statistics, and the tables inside an index of words. */
const shape = `select type || ' ' || name as part, tbl_name || ' ' || coalesce(sql, '') as text from sqlite_schema
  where not (type = 'table' and name in ('sqlite_sequence', 'sqlite_stat1', 'sqlite_stat4'))
    and not (type = 'table' and name in (select name from pragma_table_list where type = 'shadow'))
  order by 1`

interface Part {
  part: string
  text: string
}

/** An upgrade puts columns and names into statements with other spaces and quotes than a new ledger has. */
const plain = (parts: Part[]) =>
  new Map(parts.map(({ part, text }) => [part, text.replace(/\s+/g, ' ').replaceAll('"run_writers"', 'run_writers')]))

/**
 * Throws VALIDATION_ERROR unless the SQLite file has exactly the tables and indexes of a ledger of that version. A trigger
 * or a view would run with the ledger, and could give a key more permissions than its row says.
 */
export async function requireShape(path: string, version: number, label: string): Promise<void> {
  const found = plain(partsIn(path))
  const odd = version < firstVersion ? oddInVersion4(found) : oddIn(found, await expectedAt(version))
  if (odd === undefined) return
  throw new ConductError(
    'VALIDATION_ERROR',
    `${label} is not a backup that Conduct wrote: ${odd}. Conduct does not open it, because parts that Conduct did not create could change what the ledger says.`,
  )
}

function partsIn(path: string): Part[] {
  using db = new DatabaseSync(path, { readOnly: true })
  return db.prepare(shape).all() as unknown as Part[]
}

async function expectedAt(version: number): Promise<Map<string, string>> {
  const db = openSqlite(':memory:')
  try {
    await migrate(db, () => {}, schemaAt(version))
    return plain(await db.query<Part>(sql`${raw(shape)}`))
  } finally {
    await db.close()
  }
}

/** The first difference; undefined if there is none. */
function oddIn(found: Map<string, string>, expected: Map<string, string>): string | undefined {
  for (const part of found.keys()) if (!expected.has(part)) return `it has the ${part}, which no ledger has`
  for (const [part, text] of expected) {
    if (!found.has(part)) return `the ${part} is missing`
    if (found.get(part) !== text) return `the ${part} is not that of a ledger`
  }
  return undefined
}

function oddInVersion4(found: Map<string, string>): string | undefined {
  const odd = [...found.keys()].find((part) => !/^(?:table|index) /.test(part))
  if (odd) return `it has the ${odd}, which no ledger has`
  const digest = hash('sha256', JSON.stringify([...found]))
  return digest === shapeOfVersion4 ? undefined : 'its tables are not those of a ledger of version 0.1'
}
