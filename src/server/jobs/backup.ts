import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { writeBackup } from '../../engine/sqlite/backup.ts'
import { backupName, isDue, type Keep, listBackups, removeBackup, toForget } from '../../engine/sqlite/backups.ts'
import type { Store } from '../../operations/open.ts'
import type { Job } from './scheduler.ts'

export interface BackupJobOptions {
  /** The file of the ledger. */
  path: string
  /** The folder of the backups. */
  folder: string
  keep: Keep[]
}

/** After a failure, which may be a full disk, wait this long. */
const afterFailureMs = 600_000

/**
 * Makes a backup in each period of the smallest unit to keep, then removes the backups that are not kept, unless the
 * time may be wrong. A step only starts a backup, which runs in its own process. `warn` receives errors.
 */
export function backupJob(
  { path, folder, keep }: BackupJobOptions,
  { now, doubt }: Pick<Store, 'now' | 'doubt'>,
  warn: (error: Error) => void,
): Job {
  const stopping = new AbortController()
  let underWay: Promise<void> | undefined
  let notBefore = Number.NEGATIVE_INFINITY

  async function backUp(): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const at = Date.parse(now())
    const backups = await listBackups(folder, at)
    if (!isDue(keep, backups.at(-1)?.at, at)) return
    await writeBackup(path, join(folder, backupName(at)), { signal: stopping.signal })
    if (doubt() !== undefined) return
    const made = await listBackups(folder, at)
    const gone = new Set(
      toForget(
        keep,
        made.map((backup) => backup.at),
      ),
    )
    await Promise.all(made.filter((backup) => gone.has(backup.at)).map(removeBackup))
  }

  return {
    name: 'backup',
    everyMs: 60_000,
    isExclusive: true,
    async step() {
      if (underWay || performance.now() < notBefore) return false
      underWay = backUp()
        .catch((cause: Error) => {
          if (stopping.signal.aborted) return
          notBefore = performance.now() + afterFailureMs
          // The log appends the message of the cause.
          warn(new Error(`The backup in ${folder} failed`, { cause }))
        })
        .finally(() => {
          underWay = undefined
        })
      return false
    },
    /** Stops a running backup and removes its files. */
    async stop() {
      stopping.abort()
      await underWay
    },
  }
}
