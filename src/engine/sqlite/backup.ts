import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { ConductError } from '../../contract/error.ts'
import { giveToOwner, sync, syncNames } from '../../system/disk.ts'
import { realIfThere } from '../../system/paths.ts'
import { refusalOf } from '../migrations/schema.ts'
import { isScheduled } from './backups.ts'
import { createPrivately, followLinks } from './connect.ts'
import { type Copied, type CopyOptions, copyLedger } from './copy.ts'
import { requireShape } from './shape.ts'

interface BackupOptions extends CopyOptions {
  /** Whether to replace an existing file. */
  force?: boolean | undefined
}

/** The suffix of a copy until it is verified. */
const draftEnd = '.part'
/** What SQLite appends to the name of a file for the files beside it. */
const beside = ['-journal', '-wal', '-shm']
/** A draft that has not changed for this long was left by a killed process. */
const deadMs = 3600_000
/** How long a restore waits for commands that have the ledger open briefly. */
const unusedMs = 5_000

/**
 * Writes a backup of the ledger at `path` to `file`, while others write to the ledger. The backup gets its name only
 * once it is verified and on disk. Throws NOT_FOUND without a ledger, CONFLICT if `file` exists and may not be
 * replaced, and the errors of `copyLedger`.
 */
export async function writeBackup(path: string, file: string, options: BackupOptions = {}): Promise<Copied> {
  if (!existsSync(path)) throw new ConductError('NOT_FOUND', `There is no ledger at ${path}.`)
  requireFree(file, path, options.force)
  return throughDraft(path, file, options, (draft) => {
    // Another process may have created the file meanwhile.
    if (options.force) renameSync(draft, file)
    else giveName(draft, file)
  })
}

/**
 * Replaces `ledger` by the backup `file`, once a copy of it is verified and on disk. If the process is killed, either
 * the former ledger or the backup is there, complete. Throws NOT_FOUND without a backup, CONFLICT if a ledger exists and
 * may not be replaced or is open in another process, and the errors of `copyLedger`.
 */
export async function restoreBackup(file: string, ledger: string, options: BackupOptions = {}): Promise<Copied> {
  const path = followLinks(ledger)
  if (!existsSync(file)) throw new ConductError('NOT_FOUND', `There is no backup at ${file}.`)
  requireOther(file, path)
  if (!options.force) requireNoLedger(path)
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  if (existsSync(path)) whileUnused(path, () => {})
  return throughDraft(file, path, options, async (draft, { schemaVersion }) => {
    requireSupported(file, schemaVersion)
    await requireShape(draft, schemaVersion, file)
    giveToOwner(draft, path)
    if (!existsSync(path)) return replace(draft, path)
    whileUnused(path, (db) => {
      // Another process may have created it meanwhile.
      if (!options.force) requireNoLedger(path)
      endLog(db)
      replace(draft, path)
    })
  })
}

/** Copies a ledger to a draft beside `target`, which `place` then names. A failure leaves no draft. */
async function throughDraft(
  from: string,
  target: string,
  options: CopyOptions,
  place: (draft: string, copied: Copied) => void | Promise<void>,
): Promise<Copied> {
  removeDeadDrafts(target)
  const draft = `${target}.${randomBytes(4).toString('hex')}${draftEnd}`
  try {
    createPrivately(draft, 'copy')
    const copied = await copyLedger(from, draft, options)
    sync(draft)
    await place(draft, copied)
    syncNames(dirname(target))
    return copied
  } catch (error) {
    throw explained(error, target)
  } finally {
    for (const end of ['', ...beside]) rmSync(draft + end, { force: true })
  }
}

/**
 * Throws CONFLICT if `file` is the ledger at `path` or a file that SQLite keeps beside it, under whatever name. A new
 * file with the name of a log would damage the ledger as well.
 */
export function requireOther(file: string, path: string) {
  const ledger = realIfThere(path)
  const isOf = ['', ...beside].some((end) => isSame(file, ledger + end) || realIfThere(file) === ledger + end)
  if (isOf) throw new ConductError('CONFLICT', `${file} is the ledger itself.`)
}

/** Throws unless a backup may be written there. */
function requireFree(file: string, path: string, force = false) {
  requireOther(file, path)
  if (!existsSync(dirname(file))) throw new ConductError('NOT_FOUND', `There is no folder ${dirname(file)}.`)
  if (existsSync(`${file}-wal`)) throw new ConductError('CONFLICT', `Another process has ${file} open.`)
  if (existsSync(file) && !force) throw taken(file)
}

function requireNoLedger(path: string) {
  if (!existsSync(path) || statSync(path).size === 0) return
  throw new ConductError('CONFLICT', `There already is a ledger at ${path}: replace it with --force.`)
}

const taken = (file: string) =>
  new ConductError('CONFLICT', `${file} exists: choose another name, or replace it with --force.`)

function requireSupported(file: string, version: number) {
  const refusal = refusalOf(version)
  if (refusal) throw new ConductError('VALIDATION_ERROR', `${file} has schema version ${version}, and ${refusal}.`)
}

/** Names the draft without replacing a file. Not every file system has links. */
function giveName(draft: string, file: string) {
  try {
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' || existsSync(file)) throw taken(file)
    renameSync(draft, file)
  }
}

/** Replaces a ledger that nobody has open by the draft. A log of the former ledger must never meet the new file. */
function replace(draft: string, path: string) {
  for (const end of beside) rmSync(path + end, { force: true })
  syncNames(dirname(path))
  renameSync(draft, path)
}

/**
 * Does something while nobody else can open the ledger. Throws CONFLICT while another process has it open: every
 * connection to a write-ahead log holds a lock on the file, even when idle. A ledger that SQLite cannot read counts as
 * unused.
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

/**
 * Moves the log into the file and ends it. A connection with a log deletes, on closing, whatever then has the name of
 * the log.
 */
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

const draftForm = /^(.+)\.[0-9a-f]{8}\.part(?:-journal|-wal|-shm)?$/

/** Removes what killed processes have left beside `target`, which if scheduled has another name each time. */
function removeDeadDrafts(target: string) {
  const folder = dirname(target)
  const own = basename(target)
  for (const name of readdirSync(folder)) {
    const [, of] = draftForm.exec(name) ?? []
    if (of === undefined || !(of === own || (isScheduled(of) && isScheduled(own)))) continue
    const path = join(folder, name)
    const written = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
    if (Date.now() - written > deadMs) rmSync(path, { force: true })
  }
}

function isSame(file: string, path: string): boolean {
  const [one, other] = [file, path].map((name) => statSync(name, { bigint: true, throwIfNoEntry: false }))
  return one !== undefined && one.ino === other?.ino && one.dev === other.dev
}

function explained(error: unknown, target: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new ConductError('INSUFFICIENT_STORAGE', `The disk of ${dirname(target)} is full: the copy was deleted.`)
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new ConductError('BAD_REQUEST', `Cannot write ${target}: ${message}.`)
  return error
}
