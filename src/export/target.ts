import sql, { join, raw, type Sql } from 'sql-template-tag'
import { ConductError } from '../contract/error.ts'
import type { Tx } from '../engine/db.ts'
import { makeKey } from '../engine/migrations/new-ledger.ts'
import { searchable } from '../find/fields.ts'
import { rowsOf } from '../find/subject.ts'
import { sumOfCosts } from '../frame/cost.ts'
import { gramWords } from '../frame/grams.ts'
import { leaveToBackfill } from '../nouns/run/backfill.ts'
import { type ExportTable, handsOutIds, isIn, tables } from './tables.ts'

/** The progress of an import. */
export interface ImportProgress {
  ledger: string
  line: number
  crc32: string
}

/** The unfinished import; undefined if there is none. */
export async function readProgress(db: Pick<Tx, 'query'>): Promise<ImportProgress | undefined> {
  const [progress] = await db.query<ImportProgress>(sql`select ledger, line, crc32 from imports where id = 1`)
  return progress
}

/** Throws an Error if the ledger, which has the table `imports`, is incomplete. */
export async function requireWhole(db: Pick<Tx, 'query'>): Promise<void> {
  const progress = await readProgress(db)
  if (!progress) return
  throw new Error(
    `an import of ${progress.ledger} into it stopped at line ${progress.line}: run the same conduct import again, which continues there.`,
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
const derived: Pick<ExportTable, 'name' | 'since'>[] = [
  ...['spec_totals', 'feature_totals', 'search_entries', 'spec_grams', 'feature_grams'].map((name) => ({ name })),
  ...['search_words', 'search_recent'].map((name) => ({ name })),
  ...['run_paths', 'backfills'].map((name) => ({ name, since: 22 })),
  { name: 'run_models', since: 28 },
]

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

const rowsAtOnce = 1000

/**
 * Computes what is derived from the rows of a ledger: totals, the index for parts of titles, and entries that wait for
 * the index of words. What lists find runs by is left to a job.
 */
export async function deriveAll(tx: Tx): Promise<void> {
  await tx.query(sql`
    insert into spec_totals (project_id, spec_id, status, verdict, shard, runs, attempts, input_tokens, output_tokens,
      cache_read_tokens, cache_write_tokens, cost_usd, costed)
    select project_id, spec_id, status, verdict, 0, count(*), count(retry_of), coalesce(sum(input_tokens), 0),
      coalesce(sum(output_tokens), 0), coalesce(sum(cache_read_tokens), 0), coalesce(sum(cache_write_tokens), 0),
      ${sumOfCosts(sql`cost_usd`)}, count(cost_usd)
    from runs where spec_id is not null group by project_id, spec_id, status, verdict`)
  await tx.query(sql`
    insert into feature_totals (feature_id, shard, runs, cost_usd, costed)
    select l.feature_id, 0, count(*), ${sumOfCosts(sql`r.cost_usd`)}, count(r.cost_usd)
    from run_features l join runs r on r.id = l.run_id group by l.feature_id`)
  await fillGrams(tx, 'spec', sql`coalesce(title, '')`)
  await fillGrams(tx, 'feature', sql`name || '\n' || coalesce(description, '')`)
  const subjects = searchable.map(
    (type) =>
      sql`select ${type} as type, id, created_at, ${type === 'diff' ? sql`turn_id` : sql`cast(null as bigint)`} as turn_id from ${rowsOf[type]} s`,
  )
  await tx.query(sql`insert into search_entries (type, subject_id, turn_id)
    select type, id, turn_id from (${join(subjects, ' union all ')}) as subjects order by created_at, id`)
  await leaveToBackfill(tx)
  await tx.query(sql`insert into followers (name, last_seq) select 'search', coalesce(max(seq), 0) from events`)
}

async function fillGrams(tx: Tx, noun: 'spec' | 'feature', text: Sql): Promise<void> {
  for (let last = 0; ; ) {
    const rows = await tx.query<{ id: number; project_id: number; text: string }>(sql`
      select id, project_id, ${text} as text from ${raw(`${noun}s`)} where id > ${last} order by id limit ${rowsAtOnce}`)
    for (const { id, project_id, text } of rows) {
      const words = tx.dialect.words(gramWords(project_id, text))
      await tx.query(sql`insert into ${raw(`${noun}_grams`)} (rowid, words) values (${id}, ${words})`)
    }
    last = rows.at(-1)?.id ?? last
    if (rows.length < rowsAtOnce) return
  }
}
