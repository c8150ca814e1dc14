import {
  closeSync,
  copyFileSync,
  fchownSync,
  fsyncSync,
  lchownSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { here, type System } from './system.ts'

/** Flushes a file or, on POSIX, a folder to disk. */
export function sync(path: string) {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Flushes the names in a folder to disk. Windows cannot open folders, and writes names at once. */
export function syncNames(folder: string) {
  if (here === 'posix') sync(folder)
}

/**
 * As root, gives a draft to the owner of the file that it replaces, or of the folder. A server that does not run as root
 * could not open it otherwise. On Windows, the folder's access list decides.
 */
export function giveToOwner(draft: string, path: string) {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(path, { throwIfNoEntry: false }) ?? statSync(dirname(path))
  lchownSync(draft, uid, gid)
}

/**
 * As root, gives a file that this process has just created to the owner of its folder, for the same reason. If the system
 * refuses that, the file stays root's.
 */
export function giveToFolder(path: string, file: number) {
  if (process.getuid?.() !== 0) return
  const { uid, gid } = statSync(dirname(path))
  try {
    fchownSync(file, uid, gid)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error
  }
}

/** The primary result codes of SQLite (sqlite.org/rescode.html) with which it fails on a full disk. */
const sqliteCodes = { ioError: 10, full: 13 }

/** Whether an error comes from the full disk of that folder. */
export function isDiskFull(error: Error, folder: string): boolean {
  const { code, errcode = 0 } = error as NodeJS.ErrnoException & { errcode?: number }
  const result = errcode & 0xff
  if (code === 'ENOSPC' || result === sqliteCodes.full) return true
  // To read its file, SQLite makes one beside it.
  return result === sqliteCodes.ioError && statfsSync(folder).bavail === 0
}

/**
 * Makes `path` stand for a file or folder that need not exist, by a link. Windows lets users link to folders only; there,
 * each call copies the file as it is then.
 */
export function standFor(path: string, target: string, system: System = here) {
  const isFolder = lstatSync(target, { throwIfNoEntry: false })?.isDirectory()
  if (system === 'windows' && !isFolder) return copied(path, target)
  try {
    symlinkSync(target, path, 'junction')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Another process may do the same at the same time. */
function copied(path: string, target: string) {
  const draft = `${path}.${process.pid}`
  try {
    copyFileSync(target, draft)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return rmSync(path, { force: true })
  }
  renameSync(draft, path)
}
