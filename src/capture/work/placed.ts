import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { pathOf } from '../../recorder/agents/turn.ts'
import { fromTop, ownPath, pathIn, realIfThere, withSlashes } from '../../system/paths.ts'
import type { Spool } from '../spool/state.ts'

/** The paths of files in a session's documents, in the form of the ledger. */
export const pathsOf = (root: string | undefined, cwd: string, files: string[]): string[] =>
  [...new Set(files.map((file) => placed(root, cwd, file)))].flatMap((path) => pathOf(path) ?? [])

/** The files that other sessions wrote in that time, from the top of the working tree. */
export const writtenByOthers = (
  root: string,
  { state, name }: { state: Spool; name: string },
  since: number,
  until?: number,
): Set<string> => new Set(state.othersFiles(name, since, until).map((path) => placed(root, root, path)))

/**
 * The path of a file from the top of the working tree; absolute if it is outside. Who writes to a link writes to the file
 * behind it, unless a command has put the link there, maybe after the file was written.
 */
export function placed(root: string | undefined, cwd: string, file: string, byCommands?: ReadonlySet<string>): string {
  const own = ownPath(file)
  const path = isAbsolute(own) ? own : resolve(cwd, own)
  if (root === undefined) return fromTop(cwd, path)
  const inFolder = join(realIfThere(dirname(path)), basename(path))
  const named = withSlashes(pathIn(root, inFolder) || path)
  const real = realIfThere(inFolder)
  return byCommands?.has(named) ? named : withSlashes(pathIn(root, real) || real)
}
