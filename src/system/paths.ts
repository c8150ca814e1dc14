import { lstatSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { here, pathsOf, type System } from './system.ts'

/**
 * A path as the system itself writes it. On Windows, Git Bash writes `/c/work` for `C:\work`, and `\\?\C:\work` is the
 * same folder without a limit on the length of its name.
 */
export function ownPath(path: string, system: System = here): string {
  if (system === 'posix') return path
  const [, drive, rest] = /^\/([a-z])(\/.*)?$/is.exec(path) ?? []
  if (drive !== undefined) return `${drive.toUpperCase()}:${rest ?? '/'}`
  return path.replace(/^[\\/]{2}\?[\\/](UNC[\\/])?/i, (_, share?: string) => (share === undefined ? '' : '\\\\'))
}

/** The path from a folder to something in it; '' for the folder itself, undefined for what lies outside. */
export function pathIn(folder: string, path: string, system: System = here): string | undefined {
  const paths = pathsOf(system)
  const way = paths.relative(ownPath(folder, system), ownPath(path, system))
  // On another drive of Windows, it is absolute.
  return way.split(paths.sep)[0] === '..' || paths.isAbsolute(way) ? undefined : way
}

/** A path as git and the ledger write it. On POSIX, a name may contain a backslash. */
export const withSlashes = (path: string, system: System = here): string =>
  system === 'windows' ? path.replaceAll('\\', '/') : path

/** The path of a file from the top of a working tree, absolute if it is outside, in the form of the ledger. */
export const fromTop = (top: string, path: string, system: System = here): string =>
  withSlashes(pathIn(top, path, system) || ownPath(path, system), system)

/** The system of the machine that wrote an absolute path. */
const systemOf = (path: string): System => (/^(?:[a-z]:[\\/]|\\\\)/i.test(path) ? 'windows' : 'posix')

/** The same from a folder, where another machine, of any system, reports both. A path may be relative to the folder. */
export function reportedFrom(folder: string, path: string): string {
  const system = systemOf(folder)
  const { isAbsolute, resolve } = pathsOf(system)
  return isAbsolute(folder) ? fromTop(folder, resolve(folder, ownPath(path, system)), system) : path
}

/** A path without links, spelled as on disk: macOS and Windows also find a file by a name in another case. */
export const realPath = (path: string): string => realpathSync.native(path)

/** The same of a path that may not exist: its last names stay as they are. */
export function realIfThere(path: string): string {
  try {
    return realPath(path)
  } catch {
    const folder = dirname(path)
    return folder === path ? path : join(realIfThere(folder), basename(path))
  }
}

/**
 * The file to which a program has just written, by a path without links: a later one may take a link away, or put one
 * there. A link that is younger than the content behind it was not there yet.
 */
export function behindLinks(cwd: string, file: string): string {
  const path = resolve(cwd, ownPath(file))
  try {
    return lstatSync(path).mtimeMs > statSync(path).mtimeMs ? path : realPath(path)
  } catch {
    return realIfThere(path)
  }
}
