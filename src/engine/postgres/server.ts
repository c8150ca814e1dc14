import type pg from 'pg'
import sql from 'sql-template-tag'
import { only, type Replication, type Slot, type Standby, type Tx } from '../db.ts'

/** Databases that speak PostgreSQL's protocol but are not PostgreSQL, recognised by `version()`. */
const others: [pattern: RegExp, name: string][] = [
  [/CockroachDB/i, 'CockroachDB'],
  [/-YB-|Yugabyte/i, 'YugabyteDB'],
  [/Redshift/i, 'Amazon Redshift'],
  [/Greenplum/i, 'Greenplum'],
  [/CrateDB/i, 'CrateDB'],
  [/Materialize/i, 'Materialize'],
]

/** Encodings that store every character. SQL_ASCII stores the bytes of UTF-8 as they are. */
const encodings = ['UTF8', 'SQL_ASCII']

/** Throws if the server is not a PostgreSQL that lets Conduct keep its guarantees, or its database cannot store all text. */
export async function refuseOthers(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ version: string; encoding: string }>(
    `select version() as version, current_setting('server_encoding') as encoding`,
  )
  const { version, encoding } = only(rows)
  const other = others.find(([pattern]) => pattern.test(version))?.[1]
  if (other) {
    throw new Error(
      `The database is ${other}. Conduct needs PostgreSQL, because locks, notifications (LISTEN) and full-text indexes differ elsewhere.`,
    )
  }
  if (!encodings.includes(encoding)) {
    throw new Error(
      `The database has the encoding ${encoding}, which lacks characters. Conduct needs UTF8: create a database with createdb --template=template0 --encoding=UTF8, and move an existing ledger there with pg_dump and pg_restore.`,
    )
  }
}

interface Server {
  fsync: string
  pages: string
  commit: string
  synchronous: string
  standbys: number
}

/** Settings of the server that may lose acknowledged writes. */
export async function readRisks(query: Tx['query']): Promise<string[]> {
  const rows = await query<Server>(sql`
    select current_setting('fsync') as fsync, current_setting('full_page_writes') as pages,
      current_setting('synchronous_commit') as commit, current_setting('synchronous_standby_names') as synchronous,
      (select count(*) from pg_stat_replication where application_name <> 'pg_basebackup') as standbys`)
  return risksOf(only(rows))
}

function risksOf({ fsync, pages, commit, synchronous, standbys }: Server): string[] {
  const risks: string[] = []
  if (fsync === 'off')
    risks.push('PostgreSQL runs with fsync=off: a crash of its machine can damage the whole database.')
  if (pages === 'off') {
    risks.push(
      'PostgreSQL runs with full_page_writes=off: a crash of its machine can damage pages, unless its disk writes them whole.',
    )
  }
  if (commit === 'off') {
    risks.push(
      'PostgreSQL runs with synchronous_commit=off: a crash loses writes that Conduct has acknowledged. Set it to on.',
    )
  } else if (synchronous !== '' && commit === 'local') {
    risks.push(
      'PostgreSQL runs with synchronous_commit=local: a failover loses writes that Conduct has acknowledged. Set it to on.',
    )
  }
  if (standbys > 0 && synchronous === '') {
    risks.push(
      'PostgreSQL has a standby and no synchronous_standby_names: a failover loses the writes that the standby has not received yet.',
    )
  }
  return risks
}

interface Setup {
  synchronous: string
  archiving: string
  archivedAt: number | null
  failedAt: number | null
}

/** The standbys of a primary, and what holds its write-ahead log up. */
export async function readReplication(query: Tx['query']): Promise<Replication> {
  // A base backup that is being taken is listed among the standbys.
  const [standbys, slots, setups] = await Promise.all([
    query<Standby>(sql`
      select application_name as name, state, sync_state as sync,
        pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::float8 as "behindBytes"
      from pg_stat_replication where application_name <> 'pg_basebackup' order by application_name`),
    query<Slot>(sql`
      select slot_name as name, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::float8 as "keptBytes"
      from pg_replication_slots where restart_lsn is not null order by slot_name`),
    query<Setup>(sql`
      select current_setting('synchronous_standby_names') as synchronous, current_setting('archive_mode') as archiving,
        (extract(epoch from last_archived_time) * 1000)::float8 as "archivedAt",
        (extract(epoch from last_failed_time) * 1000)::float8 as "failedAt"
      from pg_stat_archiver`),
  ])
  const { synchronous, archiving, archivedAt, failedAt } = only(setups)
  return {
    standbys,
    slots,
    waitsForStandby: synchronous !== '',
    archive: archiving === 'off' ? undefined : { archivedAt, failedAt },
  }
}
