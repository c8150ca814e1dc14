import {
  chmodSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { here, userId } from './system.ts'

// On Windows, a mode says nothing about others. The files are below the user's own folder, whose access list leaves
// other users out, and new files inherit it.

/** Creates the folder if needed and closes it to other users: it holds keys and texts of prompts. */
export function privateFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  if (here === 'posix') chmodSync(path, 0o700)
  return path
}

/** Whether every user may make files in a folder, as in /tmp. */
const isOpenToAll = (folder: string): boolean =>
  ((statSync(folder, { throwIfNoEntry: false })?.mode ?? 0o002) & 0o002) !== 0

/**
 * Whether a file or folder is of the user, of root, of the owner of the work, or in a folder of its owner. In a folder
 * that all users share, such as /tmp, it may be of somebody else, who must not decide what is recorded of the work of
 * others, and where.
 */
export function isTrusted(path: string, work: string): boolean {
  if (here === 'windows') return true
  const uidOf = (of: string) => lstatSync(of, { throwIfNoEntry: false })?.uid
  const folder = dirname(path)
  return [userId, 0, uidOf(work), isOpenToAll(folder) ? undefined : uidOf(folder)].includes(uidOf(path))
}

/** Writes a file that only its owner can read, in one step or not at all. Replaces a file or link of that name. */
export function writePrivate(path: string, text: string) {
  const draft = `${path}.${process.pid}`
  // A draft of a killed process with the same number, or of somebody else, would keep its mode.
  rmSync(draft, { force: true })
  try {
    writeFileSync(draft, text, { mode: 0o600, flush: true, flag: 'wx' })
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw withPath(error, path)
  }
}

/** An error of a write does not name the file, unlike that of an open. */
function withPath(error: unknown, path: string) {
  if (error instanceof Error && !('path' in error)) error.message += ` '${path}'`
  return error
}

/** Creates an empty file that only its owner can read, or closes the one that is there to others. Does not open that one. */
export function makePrivate(path: string) {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found) closeSync(openSync(path, 'ax', 0o600))
  else if (isShared(found)) chmodSync(path, 0o600)
}

/** Whether other users can reach a file or folder. Of Windows, only the access list would tell. */
export const isShared = ({ mode }: { mode: number }): boolean => here === 'posix' && (mode & 0o077) !== 0

/** What a mode says about who can reach a file; nothing on Windows. */
export const modeWords = ({ mode }: { mode: number }): string[] =>
  here === 'posix' ? [`mode ${(mode & 0o777).toString(8)}`] : []

/**
 * Writes a new file or, for example on a full disk, none, with the mode of another if there is one: nobody may read it
 * who may not read that one.
 */
export function writeLike(path: string, text: string, other: string | undefined) {
  const mode = other === undefined ? undefined : statSync(other).mode & 0o7777
  try {
    writeFileSync(path, text, { mode, flush: true, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') rmSync(path, { force: true })
    throw withPath(error, path)
  }
  if (mode !== undefined && here === 'posix') chmodSync(path, mode)
}
