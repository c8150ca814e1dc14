import { addKinds } from './kinds.ts'
import { columnsOf, type Sql, tablesOf } from './sql.ts'

/** The ids of copies are those of their originals plus a multiple of this. */
export const stride = 1_000

/** Runs that are not copied: one lease would expire many times, and two texts are long. */
const alone = `'LIVE', 'LONG', 'CUT'`
const copied = `run_id not in (${alone})`
const ofCopied = `run_id in (select id from runs where ${copied})`

const moved = (column: string) => `${column} + k * ${stride}`
const named = (column: string) => `${column} || '.' || k`
const ofRun = { where: ofCopied, values: { run_id: moved('run_id') } }

interface Copied {
  /** Which rows are copied. */
  where: string
  /** What differs in copy `k`. */
  values: Record<string, string>
}

const owners = `select document_id from runs where ${copied} union select document_id from checks where ${ofCopied}`
const ownersOfTurns = ` union select prompt_id from turns where ${ofCopied} union select answer_id from turns where ${ofCopied}`

/** What is copied of each table but the events. */
function copiedOf(tables: string[]): Record<string, Copied> {
  const documents = `in (${owners}${tables.includes('turns') ? ownersOfTurns : ''})`
  const attempt = `case when retry_of in (select id from of_runs) then ${moved('retry_of')} end`
  return {
    documents: { where: `id ${documents}`, values: { id: moved('id') } },
    document_parts: { where: `document_id ${documents}`, values: { document_id: moved('document_id') } },
    runs: {
      where: copied,
      values: { id: moved('id'), run_id: named('run_id'), document_id: moved('document_id'), retry_of: attempt },
    },
    checks: {
      where: ofCopied,
      values: {
        ...{ id: moved('id'), check_id: named('check_id'), run_id: moved('run_id'), document_id: moved('document_id') },
      },
    },
    turns: {
      where: ofCopied,
      values: {
        ...{ id: moved('id'), run_id: moved('run_id') },
        ...{ prompt_id: moved('prompt_id'), answer_id: moved('answer_id') },
      },
    },
    ...Object.fromEntries(
      ['labels', 'features', 'authors', 'writers', 'files', 'commits', 'links'].map((name) => [`run_${name}`, ofRun]),
    ),
  }
}

/**
 * Adds a run of each kind to a ledger of that version, then copies all of its runs with their checks, turns, texts and
 * events until there are at least `runs`. Returns how many copies there are of each.
 */
export async function multiply(sql: Sql, version: number, runs: number): Promise<number> {
  await addKinds(sql, version)
  const tables = await tablesOf(sql)
  const parts = Object.entries(copiedOf(tables)).filter(([table]) => tables.includes(table))
  for (const [table, { where }] of parts) {
    await sql.run(`create temporary table of_${table} as select * from ${table} where ${where}`)
  }
  const copies = Math.ceil(runs / (await numberOf(sql, 'select count(*) as n from of_runs')))
  await sql.run('begin')
  for (const [table, { values }] of parts) await insertCopies(sql, table, values, copies)
  await copyEvents(sql, tables, copies)
  await addUp(sql, tables)
  await sql.run('commit')
  await settle(sql, tables)
  return copies
}

async function numberOf(sql: Sql, text: string): Promise<number> {
  const [row] = await sql.query<{ n: number | string }>(text)
  return Number(row?.n)
}

async function insertCopies(sql: Sql, table: string, values: Record<string, string>, copies: number): Promise<void> {
  const columns = await columnsOf(sql, table)
  await sql.run(`insert into ${table} (${columns.join(', ')}) ${sql.isSqlite ? '' : 'overriding system value'}
    with recursive numbers (k) as (select 1 union all select k + 1 from numbers where k < ${copies})
    select ${columns.map((name) => values[name] ?? name).join(', ')} from numbers cross join of_${table}`)
}

/** The events of each copy follow each other, and name its own run. */
async function copyEvents(sql: Sql, tables: string[], copies: number): Promise<void> {
  const about = ['run', 'check', 'turn']
    .filter((noun) => tables.includes(`${noun}s`))
    .map((noun) => `(type like '${noun}.%' and subject_id in (select id from of_${noun}s))`)
  await sql.run(`create temporary table of_events as select *, row_number() over (order by seq) as place from events
    where seq is not null and (${about.join(' or ')})`)
  for (const { name } of await sql.query<{ name: string }>('select distinct run_id as name from of_runs')) {
    for (const field of ['runId', 'retryOf']) {
      const change = `"${field}":[null,"${name}`
      await sql.run(`update of_events set changes = replace(changes, '${change}"', '${change}§"')`)
    }
  }
  const last = await numberOf(sql, 'select max(seq) as n from events')
  const each = await numberOf(sql, 'select count(*) as n from of_events')
  const seq = `${last} + (k - 1) * ${each} + place`
  const values = {
    ...{ id: seq, seq, subject_id: moved('subject_id') },
    subject: `case when type like 'turn.%' then replace(subject, '/', '.' || k || '/') else ${named('subject')} end`,
    changes: `replace(changes, '§"', '.' || k || '"')`,
  }
  await insertCopies(sql, 'events', values, copies)
}

/** The totals that a release of version 14 kept, again by a scan. */
async function addUp(sql: Sql, tables: string[]): Promise<void> {
  if (!tables.includes('spec_totals')) return
  const cost = (column: string) => `coalesce(sum(floor(${column} * 1e9 + 0.5)), 0.0) / 1e9`
  const tokens = ['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_write_tokens']
  await sql.run(`delete from spec_totals; delete from feature_totals;
    insert into spec_totals (project_id, spec_id, status, verdict, shard, runs, attempts, ${tokens.join(', ')}, cost_usd, costed)
      select project_id, spec_id, status, verdict, 0, count(*), count(retry_of),
        ${tokens.map((name) => `coalesce(sum(${name}), 0)`).join(', ')}, ${cost('cost_usd')}, count(cost_usd)
      from runs where spec_id is not null group by project_id, spec_id, status, verdict;
    insert into feature_totals (feature_id, shard, runs, cost_usd, costed)
      select l.feature_id, 0, count(*), ${cost('r.cost_usd')}, count(r.cost_usd)
      from run_features l join runs r on r.id = l.run_id group by l.feature_id`)
}

/** Leaves the database as a server leaves it that has run for a while. */
async function settle(sql: Sql, tables: string[]): Promise<void> {
  if (sql.isSqlite) return sql.run('pragma wal_checkpoint(truncate)')
  for (const table of ['runs', 'checks', 'turns', 'documents', 'events'].filter((name) => tables.includes(name))) {
    await sql.run(`do $$ begin
      if pg_get_serial_sequence('${table}', 'id') is not null then
        perform setval(pg_get_serial_sequence('${table}', 'id'), (select max(id) from ${table}));
      end if; exception when undefined_column then null; end $$`)
  }
  await sql.run('vacuum analyze')
}
