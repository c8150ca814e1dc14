import sql from 'sql-template-tag'
import { only, type Tx } from '../db.ts'

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
