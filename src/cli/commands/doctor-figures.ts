import { sized } from '../../terminal/amount.ts'
import { shown } from '../show/print.ts'
import { type Finding, found } from './finding.ts'

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
      ? found('disk', 'warn', `${free}: writes fail once the disk is full; free some room, or move the ledger`)
      : found('disk', 'ok', free),
    isLarge
      ? found('wal', 'warn', `the write-ahead log has ${sized(walBytes)}: another process reads the ledger for long`)
      : found('wal', 'ok', `the write-ahead log has ${sized(walBytes)}`),
  ]
}

/** Checks the scheduled backups. `newestAt` is in Unix milliseconds. */
export function backupFinding(newestAt: number | undefined, isOverdue: boolean): Finding {
  if (newestAt === undefined) {
    const words = 'there is none yet: conduct serve makes the first one a minute after its start, else its log says why'
    return found('backup', 'warn', words)
  }
  const newest = `the newest one is of ${shown(new Date(newestAt).toISOString())}`
  if (!isOverdue) return found('backup', 'ok', newest)
  return found('backup', 'warn', `${newest}, and the schedule wants a newer one: the log of conduct serve says why`)
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
    `the newest event is of ${newestAt}, ${early} s ahead of the clock: a clock was set back, or was wrong. New events continue from that time`,
  )
}
