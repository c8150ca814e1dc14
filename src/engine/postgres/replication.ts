import sql from 'sql-template-tag'
import { only, type Replication, type Slot, type Standby, type Tx } from '../db.ts'

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
