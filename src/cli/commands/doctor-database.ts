import { type Client, ConductError } from '../../client/client.ts'
import { type Inspected, inspect, type LocalPlace, openLedger, reasonOf, shownPlace } from '../../place/connect.ts'
import { type Env, folders } from '../../place/folders.ts'
import { settings } from '../../place/setting.ts'
import { sized } from '../../terminal/amount.ts'
import { checkMemory, remembers } from '../../verify/remember.ts'
import { shown } from '../show/print.ts'
import { type Finding, found, writeFault } from './doctor-folder.ts'

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
  await using ledger = await openLedger(place, env)
  return await logFindings(ledger.as({}), shownPlace(place), env)
}

/** The same limits as in the alert rules in deploy/prometheus. */
const leastFree = { bytes: 1e9, share: 0.2 }
const mostWalBytes = 1e9

/** Checks the disk of an SQLite ledger and its write-ahead log. */
export function roomFindings(databaseBytes: number, file: { walBytes: number; freeBytes: number }): Finding[] {
  const { walBytes, freeBytes } = file
  const isLow = freeBytes < Math.max(leastFree.bytes, databaseBytes * leastFree.share)
  const free = `${sized(freeBytes)} free beside the ledger of ${sized(databaseBytes)}`
  const isLarge = walBytes > mostWalBytes
  return [
    isLow
      ? found('disk', 'warn', `${free}: writes fail once the disk is full; free some space, or move the ledger`)
      : found('disk', 'ok', free),
    isLarge
      ? found(
          'wal',
          'warn',
          `the write-ahead log has ${sized(walBytes)}: another process has been reading the ledger for a long time`,
        )
      : found('wal', 'ok', `the write-ahead log has ${sized(walBytes)}`),
  ]
}

/** Checks the scheduled backups. `newestAt` is in Unix milliseconds. */
export function backupFinding(newestAt: number | undefined, isOverdue: boolean): Finding {
  if (newestAt === undefined) {
    const words =
      'there is none yet: conduct serve makes the first one a minute after it starts; if not, its log says why'
    return found('backup', 'warn', words)
  }
  const newest = `the newest one is from ${shown(new Date(newestAt).toISOString())}`
  if (!isOverdue) return found('backup', 'ok', newest)
  return found('backup', 'warn', `${newest}, and the schedule requires a newer one: the log of conduct serve says why`)
}

/** The tolerated difference between clocks, in seconds. */
const clockSeconds = 5

/** Checks the clocks of the database and of this machine, and the newest time in the log; all in Unix milliseconds. */
export function clockFinding(now: number, aheadMs: number, newestAt: string | null): Finding {
  const ahead = Math.round(aheadMs / 1000)
  if (Math.abs(ahead) > clockSeconds) {
    const words = `${Math.abs(ahead)} s ${ahead > 0 ? 'ahead of' : 'behind'}`
    return found('clock', 'warn', `the clock of the database is ${words} the clock of this machine`)
  }
  const early = newestAt === null ? 0 : Math.round((Date.parse(newestAt) - now - aheadMs) / 1000)
  if (early <= clockSeconds) return found('clock', 'ok', 'it agrees with the database and the newest event')
  return found(
    'clock',
    'warn',
    `the newest event is from ${newestAt}, ${early} s ahead of the clock: a clock was set back, or was wrong. New events continue from that time`,
  )
}

/** Checks that the log of a ledger continues what this machine saw of it before, and remembers its new state. */
export async function logFindings(client: Client, ledger: string, env: Env): Promise<Finding[]> {
  if (writeFault(folders.state(env)) !== undefined) {
    return [found('log', 'note', 'not checked, because this machine cannot store the checkpoint: see state')]
  }
  try {
    const changed = await checkMemory(client, ledger, env)
    if (changed !== undefined) return [found('log', 'fail', changed)]
    // After a check, only a log without a seal is not remembered.
    if (!remembers(ledger, env)) {
      return [found('log', 'note', 'the server does not seal its log, because its Conduct is too old: upgrade it')]
    }
    return [found('log', 'ok', 'it continues what this machine saw of it; conduct verify checks every event')]
  } catch (error) {
    const isNew = error instanceof ConductError && error.code === 'UNAVAILABLE'
    return [found('log', isNew ? 'note' : 'fail', (error as Error).message)]
  }
}
