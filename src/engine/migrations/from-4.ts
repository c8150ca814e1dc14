import sql, { raw } from 'sql-template-tag'
import type { SqlDialect, Tx } from '../db.ts'
import { fillGrams, findRuns, hashIdempotencyKeys } from './from-4-derived.ts'
import { makeKey } from './new-ledger.ts'
import type { MigrationStep, ReportProgress } from './schema.ts'
import { tablesOf } from './tables.ts'

/** How many rows one statement changes. */
const batch = 5_000

/**
 * Events name their actor by number, and plain appends are marked. On PostgreSQL they move to a table that holds only
 * events with a number; the others wait for theirs in `pending_events`.
 */
function moveEvents(
  { integer, commitsInOrder }: SqlDialect,
  tables: Readonly<Record<string, string[]>>,
): MigrationStep[] {
  const [events = '', ...indexes] = tables.events ?? []
  const prepared: MigrationStep[] = [
    `alter table events add column actor_id ${integer}`,
    `alter table events add column is_append ${integer} not null default 0`,
    `alter table events add column imported ${integer} not null default 0`,
    ...['events_of_project', 'events_by_type', 'events_by_subject'].map((index) => `drop index ${index}`),
    nameActors,
  ]
  if (commitsInOrder) return [...prepared, 'alter table events drop column actor', ...indexes]
  const moved = 'subject_id, project_id, actor_id, is_append, imported, type, subject, at, changes'
  return [
    ...prepared,
    'alter table events rename to events_before',
    'alter index events_pkey rename to events_before_pkey',
    events,
    ...(tables.pending_events ?? []),
    `insert into events (seq, ${moved}) select seq, ${moved} from events_before where seq is not null order by seq`,
    `insert into pending_events (${moved}) select ${moved} from events_before where seq is null order by id`,
    'drop table events_before',
    ...indexes,
    'analyze events',
  ]
}

async function nameActors(tx: Tx, progress: ReportProgress) {
  const order = raw(tx.dialect.commitsInOrder ? 'seq' : 'id')
  const [end] = await tx.query<{ last: number | null }>(sql`select max(${order}) as last from events`)
  const last = end?.last ?? 0
  const known = new Map<string, number>()
  for (let from = 0; from < last; from += batch) {
    const part = sql`${order} > ${from} and ${order} <= ${from + batch}`
    for (const { actor } of await tx.query<{ actor: string }>(sql`select distinct actor from events where ${part}`)) {
      if (!known.has(actor)) known.set(actor, actorIdOf(JSON.parse(actor)))
      await tx.query(sql`update events set actor_id = ${known.get(actor)} where ${part} and actor = ${actor}`)
    }
    // The log has the digest of a whole content only where it was replaced.
    await tx.query(sql`update events set is_append = 1
      where ${part} and type = 'run.updated' and changes like '{"content":[{"bytes":%},{"bytes":%}]}'
        and changes not like '{"content":[{"bytes":%},{"bytes":%,"sha256":%}]}'`)
    progress(Math.min(from + batch, last), last)
  }
}

const actorIdOf = ({ kind, keyId }: { kind: string; keyId?: number }) => keyId ?? (kind === 'local' ? 0 : -1)

/**
 * Migrates from version 4, which Conduct 0.1 wrote, to version 14. Frozen: these files import no code that may change.
 * A background job of the server rebuilds the index of words from the rows.
 */
export function fromVersion4(dialect: SqlDialect): MigrationStep[] {
  const tables = tablesOf(dialect)
  return [
    ...['search_words', 'search_recent', 'search_state', 'search_entries'].map((table) => `drop table ${table}`),
    ...created.flatMap((table) => tables[table] ?? []),
    ...actors(dialect),
    ...columns(dialect),
    ...moveEvents(dialect, tables),
    findRuns,
    ...runIndexes.map((name) => theIndex(tables.runs, name)),
    fillGrams,
    hashIdempotencyKeys,
    ...followers,
    ...totals,
    makeKey,
  ]
}

/** The digest of the schema of version 4 on SQLite, as `requireShape` computes it. */
export const shapeOfVersion4 = '1536383ea0510d59c8bc503313f8e1ac282905c50d7b4dcb62eaa6631ffa709c'

/** The tables that version 4 does not have, or has with other rows. */
const created = [
  ...['actors', 'run_files', 'run_commits', 'run_links', 'turns', 'hook_sessions', 'spec_totals', 'feature_totals'],
  ...['search_entries', 'search_words', 'search_recent', 'spec_grams', 'feature_grams', 'erasures'],
  ...['seal_keys', 'seal_tiles', 'seal_salts', 'seal_checkpoints', 'webhooks', 'webhook_deliveries'],
  ...['job_leaders', 'followers', 'imports'],
]

const runIndexes = ['runs_by_time_everywhere', 'runs_by_author', 'runs_by_branch', 'runs_by_session', 'runs_by_end']

function theIndex(statements: string[] | undefined, name: string): string {
  const found = statements?.find((statement) => statement.startsWith(`create index ${name} `))
  if (!found) throw new Error(`Bug: there is no index ${name}.`)
  return found
}

/**
 * Each key becomes an actor with the number of the key, so rows that name a key keep their meaning. 0 is the local user,
 * -1 Conduct itself, -2 its retention. A null meant one of the first two; expired leases are recognised by their failure.
 */
function actors({ integer, commitsInOrder }: SqlDialect): MigrationStep[] {
  const rows = ['projects', 'keys', 'features', 'specs', 'checks', 'runs'] as const
  return [
    `insert into actors (id, kind, name, key_id) select id, 'key', name, id from keys`,
    `insert into actors (id, kind, name) values (0, 'local', null), (-1, 'system', null), (-2, 'system', 'retention')`,
    ...(commitsInOrder
      ? []
      : [`select setval(pg_get_serial_sequence('actors', 'id'), (select greatest(max(id), 1) from actors))`]),
    `alter table keys add column actor_id ${integer}`,
    'update keys set actor_id = id',
    ...rows.map((table) => `update ${table} set created_by = 0 where created_by is null`),
    `update runs set updated_by = -1 where updated_by is null and failure like '%"LEASE_EXPIRED"%'`,
    ...rows
      .filter((table) => table !== 'keys')
      .map((table) => `update ${table} set updated_by = 0 where updated_by is null`),
    'update checks set result_by = 0 where result_by is null',
    // An author is the person for whom the work is done; a writer is an actor who wrote part of a run.
    'alter table run_authors rename to run_writers',
    'alter table run_writers rename column key_id to actor_id',
  ]
}

/** The columns that version 4 does not have, in the order of version 14. */
function columns({ text, integer }: SqlDialect): string[] {
  const added: Record<string, string[]> = {
    projects: [`retention ${text}`, `deleted_at ${text}`, `emptied_at ${text}`],
    runs: [
      ...[`author ${text}`, `command ${text}`, `exit_code ${integer}`, `content_type ${text}`],
      ...[`cache_read_tokens ${integer}`, `cache_write_tokens ${integer}`, `cost_source ${text}`, `activity ${text}`],
      ...[`branch ${text}`, `session ${text}`, `erased_at ${text}`, `expired_at ${text}`],
    ],
    checks: [`git_tree ${text}`, `git_dirty ${integer}`, `content_type ${text}`, `erased_at ${text}`],
    specs: [`erased_at ${text}`],
    features: [`erased_at ${text}`],
  }
  return Object.entries(added).flatMap(([table, columns]) =>
    columns.map((column) => `alter table ${table} add column ${column}`),
  )
}

const subjects = Object.entries({ run: 'runs', spec: 'specs', check: 'checks', feature: 'features' }).map(
  ([type, table]) => `select '${type}' as type, id, created_at from ${table}`,
)

/** The seal begins at the first event, and the index of words with an entry for each row that waits to be indexed. */
const followers = [
  `insert into followers (name, last_seq) select 'search', coalesce(max(seq), 0) from events`,
  `insert into followers (name, last_seq) values ('seal', 0)`,
  `insert into search_entries (type, subject_id)
    select type, id from (${subjects.join(' union all ')}) as subjects order by created_at, id`,
]

/** The sum of a column of costs, in whole billionths of a dollar. */
const costOf = (column: string) => `coalesce(sum(floor(${column} * 1e9 + 0.5)), 0.0) / 1e9`

const totals = [
  `insert into spec_totals (project_id, spec_id, status, verdict, shard, runs, attempts, input_tokens, output_tokens,
      cache_read_tokens, cache_write_tokens, cost_usd, costed)
    select project_id, spec_id, status, verdict, 0, count(*), count(retry_of), coalesce(sum(input_tokens), 0),
      coalesce(sum(output_tokens), 0), 0, 0, ${costOf('cost_usd')}, count(cost_usd)
    from runs where spec_id is not null group by project_id, spec_id, status, verdict`,
  `insert into feature_totals (feature_id, shard, runs, cost_usd, costed)
    select l.feature_id, 0, count(*), ${costOf('r.cost_usd')}, count(r.cost_usd)
    from run_features l join runs r on r.id = l.run_id group by l.feature_id`,
]
