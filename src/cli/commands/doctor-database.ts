import { type Inspected, inspect, type LocalPlace, openLedger, reasonOf, shownPlace } from '../../place/connect.ts'
import type { Env } from '../../place/folders.ts'
import { settings } from '../../place/setting.ts'
import { sized } from '../../terminal/amount.ts'
import { backupFinding, clockFinding, roomFindings } from './doctor-figures.ts'
import { logFindings } from './doctor-log.ts'
import { type Finding, found } from './finding.ts'

/** Checks a database that this machine opens in process. */
export async function databaseFindings(place: LocalPlace, env: Env): Promise<Finding[]> {
  try {
    const inspected = await inspect(place.databaseUrl, env)
    const { fault, damaged, risks } = inspected
    const isWell = !fault && damaged.length === 0
    return [
      ...(fault ? [found('database', 'fail', `it accepts no writes: ${fault.message}`)] : []),
      ...(damaged.length > 0 ? [found('database', 'fail', damaged.join('\n'))] : []),
      ...(isWell ? [found('database', 'ok', 'opens, and has no damage')] : []),
      ...risks.map((risk) => found('database', 'warn', risk)),
      ...conditionFindings(inspected),
      ...(isWell ? await sealFindings(place, env) : []),
    ]
  } catch (error) {
    const reason = reasonOf(error as Error)
    return [found('database', 'fail', `${reason}\nto use another database, set ${settings.databaseUrl.env}`)]
  }
}

function conditionFindings({ condition, backups }: Inspected): Finding[] {
  if (!condition) return []
  const { facts, replication, aheadMs, doubt } = condition
  const { databaseBytes, file, newestAt } = facts
  return [
    ...(file ? roomFindings(databaseBytes, file) : []),
    ...(file ? [backups ? backupFinding(backups.newest?.at, backups.isOverdue) : noBackups] : []),
    ...(replication ? replicationFindings(replication) : []),
    doubt === undefined ? clockFinding(Date.now(), aheadMs, newestAt) : found('clock', 'warn', doubt),
  ]
}

const noBackups = found(
  'backup',
  'note',
  `${settings.backupDir.env} is not set here: if the server has it, run this with the environment of the server`,
)

type Replication = NonNullable<NonNullable<Inspected['condition']>['replication']>

/** A standby this far behind, or a log kept this long, is a fault that someone should look at. */
const mostBehindBytes = 64e6
const mostKeptBytes = 1e9

/** Checks the standbys of PostgreSQL and its write-ahead log. */
export function replicationFindings({ standbys, slots, waitsForStandby, archive }: Replication): Finding[] {
  const isHidden = standbys.some(({ state }) => state === null)
  const hasSync = standbys.some(({ sync }) => sync === 'sync' || sync === 'quorum')
  const heavy = slots.filter(({ keptBytes }) => keptBytes > mostKeptBytes)
  return [
    ...(standbys.length === 0 ? [found('standby', waitsForStandby ? 'fail' : 'note', missing(waitsForStandby))] : []),
    ...standbys.map(standbyFinding),
    ...(standbys.length > 0 && waitsForStandby && !hasSync && !isHidden
      ? [found('standby', 'fail', 'none of them is synchronous: every write waits until one is')]
      : []),
    ...heavy.map(({ name, keptBytes }) =>
      found(
        'wal',
        'warn',
        `the slot ${name} keeps ${sized(keptBytes)} of the write-ahead log: start its reader, or drop it`,
      ),
    ),
    ...(archive ? [archiveFinding(archive)] : []),
  ]
}

const missing = (waits: boolean) =>
  waits
    ? 'none is connected, and synchronous_standby_names is set: every write waits until one is'
    : 'none is connected'

function standbyFinding({ name, state, sync, behindBytes }: Replication['standbys'][number]): Finding {
  if (state === null || behindBytes === null)
    return found('standby', 'note', `${name}: to see its state, grant pg_monitor to the user of Conduct`)
  const told = `${name}: ${state}, ${sync}, ${sized(behindBytes)} behind`
  return found('standby', state === 'streaming' && behindBytes <= mostBehindBytes ? 'ok' : 'warn', told)
}

function archiveFinding({ archivedAt, failedAt }: NonNullable<Replication['archive']>): Finding {
  const at = (ms: number) => new Date(ms).toISOString()
  if (failedAt !== null && failedAt > (archivedAt ?? 0))
    return found(
      'archive',
      'warn',
      `archive_command failed at ${at(failedAt)}: PostgreSQL keeps its log until it succeeds`,
    )
  return found('archive', 'ok', archivedAt === null ? 'nothing archived yet' : `the last segment at ${at(archivedAt)}`)
}

async function sealFindings(place: LocalPlace, env: Env): Promise<Finding[]> {
  const { as, close } = await openLedger(place, env)
  try {
    return await logFindings(as({}), shownPlace(place), env)
  } finally {
    await close()
  }
}
