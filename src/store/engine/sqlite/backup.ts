import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ConductError } from '../../../api/error.ts'
import { migrations } from '../migrations/schema.ts'
import { createPrivately } from './connect.ts'
import { type Copied, type CopyOptions, copyLedger } from './copy.ts'

export interface BackupOptions extends CopyOptions {
  /** Whether a file that is there is replaced. */
  force?: boolean | undefined
}

/** What a copy is named until it is verified. */
const draftEnd = '.part'
/** A draft to which nobody has written for so long was left by a process that was killed. */
const deadMs = 3600_000
/** How long a restore waits for commands that have the ledger open for a moment. */
const unusedMs = 5_000

/**
 * Writes a backup of the ledger at `path` to `file`, while others write to the ledger. The backup has its name only once it is
 * verified and on the disk. Throws NOT_FOUND without a ledger, CONFLICT where `file` is there and may not be replaced, and
 * what `copyLedger` throws.
 */
export async function writeBackup(path: string, file: string, options: BackupOptions = {}): Promise<Copied> {
  if (!existsSync(path)) throw new ConductError('NOT_FOUND', `There is no ledger at ${path}.`)
  requireFree(file, path, options.force)
  return throughDraft(path, file, options, (draft) => {
    // Another process may have made the file meanwhile.
    if (options.force) renameSync(draft, file)
    else giveName(draft, file)
  })
}

/**
 * Puts the backup `file` in the place of the ledger at `path`, once a copy of it is verified and on the disk. A process that is
 * killed leaves the former ledger or the backup there, each whole. Throws NOT_FOUND without a backup, CONFLICT where a
 * ledger is there and may not be replaced, or a process has it open, and what `copyLedger` throws.
 */
export async function restoreBackup(file: string, path: string, options: BackupOptions = {}): Promise<Copied> {
  if (!existsSync(file)) throw new ConductError('NOT_FOUND', `There is no backup at ${file}.`)
  if (isSame(file, path)) throw new ConductError('CONFLICT', `${file} is the ledger itself.`)
  const isThere = existsSync(path) && statSync(path).size > 0
  if (isThere && !options.force) {
    throw new ConductError('CONFLICT', `There is a ledger at ${path} already: --force replaces it with the backup.`)
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if (existsSync(path)) whileUnused(path, () => {})
  return throughDraft(file, path, options, (draft, { schemaVersion }) => {
    if (schemaVersion > migrations.length) throw tooNew(file, schemaVersion)
    if (!existsSync(path)) return replace(draft, path)
    whileUnused(path, (db) => {
      endLog(db)
      replace(draft, path)
    })
  })
}

/** Copies a ledger to a draft beside `target`, which `place` gives its name; what goes wrong leaves no draft. */
async function throughDraft(
  from: string,
  target: string,
  options: CopyOptions,
  place: (draft: string, copied: Copied) => void,
): Promise<Copied> {
  removeDeadDrafts(target)
  const draft = `${target}.${randomBytes(4).toString('hex')}${draftEnd}`
  try {
    createPrivately(draft)
    const copied = await copyLedger(from, draft, options)
    sync(draft)
    place(draft, copied)
    syncNames(dirname(target))
    return copied
  } catch (error) {
    throw told(error, target)
  } finally {
    for (const name of [draft, `${draft}-journal`]) rmSync(name, { force: true })
  }
}

/** Throws unless a backup may be written there. */
function requireFree(file: string, path: string, force = false) {
  if (isSame(file, path)) throw new ConductError('CONFLICT', `${file} is the ledger itself.`)
  if (!existsSync(dirname(file))) throw new ConductError('NOT_FOUND', `There is no folder ${dirname(file)}.`)
  if (existsSync(`${file}-wal`)) throw new ConductError('CONFLICT', `${file} is a database that somebody has open.`)
  if (existsSync(file) && !force) throw taken(file)
}

const taken = (file: string) =>
  new ConductError('CONFLICT', `${file} exists already: choose another name, or replace it with --force.`)

const tooNew = (file: string, version: number) =>
  new ConductError(
    'VALIDATION_ERROR',
    `${file} has schema version ${version}, and this Conduct knows versions up to ${migrations.length}: restore it with a newer Conduct.`,
  )

/** Names the draft without replacing anything. Not every file system has links. */
function giveName(draft: string, file: string) {
  try {
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' || existsSync(file)) throw taken(file)
    renameSync(draft, file)
  }
}

/** Puts the draft in the place of a ledger that nobody has open. A log of the former ledger must never meet the new file. */
function replace(draft: string, path: string) {
  for (const name of [`${path}-wal`, `${path}-shm`, `${path}-journal`]) rmSync(name, { force: true })
  syncNames(dirname(path))
  renameSync(draft, path)
}

/**
 * Does something while no other connection can be made to the ledger. Throws CONFLICT while another process has it open: each
 * connection to a write-ahead log holds a lock on the file as long as it lasts, even when it does nothing. A ledger that
 * SQLite cannot read is taken for unused.
 */
function whileUnused(path: string, work: (db: DatabaseSync) => void) {
  const db = new DatabaseSync(path, { timeout: unusedMs })
  try {
    unlessDamaged(() => db.exec('pragma locking_mode = exclusive; begin exclusive; commit'))
    work(db)
  } catch (error) {
    if (codeOf(error) !== 5) throw error
    throw new ConductError('CONFLICT', `${path} is open in another process: stop the server first.`)
  } finally {
    db.close()
  }
}

/** Moves the log into the file and ends it: a connection that has a log deletes, when it is closed, whatever has the name of the log then. */
const endLog = (db: DatabaseSync) => unlessDamaged(() => db.exec('pragma journal_mode = delete'))

function unlessDamaged(work: () => void) {
  try {
    work()
  } catch (error) {
    if (![11, 26].includes(codeOf(error))) throw error
  }
}

/** SQLite's primary result code; 0 for other errors. */
const codeOf = (error: unknown) => Number((error as { errcode?: number }).errcode ?? 0) & 0xff

/** Removes what processes that were killed have left beside `target`. */
function removeDeadDrafts(target: string) {
  const folder = dirname(target)
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(`${basename(target)}.`) || !new RegExp(`\\${draftEnd}(-journal)?$`).test(name)) continue
    const path = join(folder, name)
    const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
    if (Date.now() - written > deadMs) rmSync(path, { force: true })
  }
}

/** Returns once a file or folder is on the disk. */
function sync(path: string) {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Returns once the names in a folder are on the disk; Windows opens no folders, and writes names at once. */
function syncNames(folder: string) {
  if (process.platform !== 'win32') sync(folder)
}

function isSame(file: string, path: string): boolean {
  const [one, other] = [file, path].map((name) => statSync(name, { bigint: true, throwIfNoEntry: false }))
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev
}

function told(error: unknown, target: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new ConductError(
      'INSUFFICIENT_STORAGE',
      `The disk of ${dirname(target)} is full: nothing was kept of the copy.`,
    )
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new ConductError('UNAVAILABLE', `${target} cannot be written: ${message}.`)
  return error
}
