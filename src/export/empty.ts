import sql, { join, raw } from 'sql-template-tag'
import { ConductError } from '../contract/error.ts'
import type { Tx } from '../engine/db.ts'
import { makeKey } from '../engine/migrations/new-ledger.ts'
import { handsOutIds, type Table, tables } from './tables.ts'

/** The progress of an import. */
export interface Progress {
  ledger: string
  line: number
  crc32: string
}

/** The unfinished import; undefined if there is none. */
export async function readProgress(db: Pick<Tx, 'query'>): Promise<Progress | undefined> {
  const [progress] = await db.query<Progress>(sql`select ledger, line, crc32 from imports where id = 1`)
  return progress
}

/** Throws an Error if the ledger, which has the table `imports`, is incomplete. */
export async function requireWhole(db: Pick<Tx, 'query'>): Promise<void> {
  const progress = await readProgress(db)
  if (!progress) return
  throw new Error(
    `an import of ${progress.ledger} into it stopped at line ${progress.line}: run the same conduct import again, which goes on there.`,
  )
}

/** Throws CONFLICT if anything but opening has happened in the ledger. */
export async function requireEmpty(tx: Pick<Tx, 'query' | 'dialect'>): Promise<void> {
  const logs = [
    sql`select type from events`,
    ...(tx.dialect.commitsInOrder ? [] : [sql`select type from pending_events`]),
  ]
  const happened = await tx.query<{ type: string }>(sql`select type from (${join(logs, ' union all ')}) as log limit 2`)
  const keys = await tx.query(sql`select 1 as one from keys limit 1`)
  // Opening a new database creates its default project.
  if (keys.length === 0 && (happened[0]?.type ?? 'project.created') === 'project.created' && happened.length < 2) return
  throw new ConductError(
    'CONFLICT',
    'The ledger is not empty: import into a new SQLite file, or a new PostgreSQL database or schema.',
  )
}

/** The tables with what is derived from the exported rows. */
const derived: Pick<Table, 'name' | 'since'>[] = [
  ...['spec_totals', 'feature_totals', 'search_entries', 'spec_grams', 'feature_grams'].map((name) => ({ name })),
  ...['search_words', 'search_recent'].map((name) => ({ name })),
]

const isIn =
  (schema: number) =>
  ({ since = 0 }: Pick<Table, 'since'>) =>
    since <= schema

/** Deletes what is derived from the exported rows of a ledger with that schema version. */
export async function deleteDerived(tx: Tx, schema: number): Promise<void> {
  for (const { name } of derived.filter(isIn(schema))) await tx.query(sql`delete from ${raw(name)}`)
  await tx.query(sql`delete from followers where name = 'search'`)
}

/** Deletes every exported row of a ledger with that schema version, and what is derived from them. */
export async function deleteAll(tx: Tx, schema: number): Promise<void> {
  const own = tables.filter(isIn(schema))
  const log = tx.dialect.commitsInOrder ? [] : ['pending_events']
  const rest = own.filter(({ name }) => name !== 'followers').map(({ name }) => name)
  await deleteDerived(tx, schema)
  for (const table of [...log, 'followers', ...rest.reverse()]) await tx.query(sql`delete from ${raw(table)}`)
  for (const { name } of own.filter(handsOutIds)) {
    for (const statement of tx.dialect.setLastId(name, 0)) await tx.query(statement)
  }
}

/** Restores an empty database to the state after its migrations. */
export async function renew(tx: Tx): Promise<void> {
  await tx.query(sql`insert into actors (id, kind, name)
    values (0, 'local', null), (-1, 'system', null), (-2, 'system', 'retention')`)
  await tx.query(sql`insert into followers (name, last_seq) values ('search', 0), ('seal', 0)`)
  await makeKey(tx)
}
