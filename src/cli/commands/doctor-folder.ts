import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Finding, found } from './finding.ts'

/** Checks that only the owner can read a folder or file. */
export function privacy(about: string, path: string): Finding {
  if (!existsSync(path)) return found(about, 'note', `${path} does not exist yet`)
  const mode = statSync(path).mode & 0o777
  const told = `${path}, mode ${mode.toString(8)}`
  if (process.platform === 'win32' || (mode & 0o077) === 0) return found(about, 'ok', told)
  return found(about, 'warn', `${told}: other users can read it; run chmod go= ${path}`)
}

/** Checks the folder for what is not sent yet. */
export function stateFolder(path: string): Finding {
  const fault = writeFault(path)
  return fault === undefined
    ? privacy('state', path)
    : found('state', 'fail', `${fault}: hooks record nothing, and other records are lost unless they are sent at once`)
}

/**
 * Why no file can be written to that folder, which may not exist yet: the folder in the way, and what is wrong with it.
 * Undefined if one can.
 */
export function writeFault(path: string): string | undefined {
  let nearest = path
  while (!existsSync(nearest) && nearest !== dirname(nearest)) nearest = dirname(nearest)
  try {
    if (!statSync(nearest).isDirectory()) return `${nearest} is not a folder`
    accessSync(nearest, constants.W_OK | constants.X_OK)
  } catch (error) {
    return `${nearest} cannot be written (${(error as NodeJS.ErrnoException).code})`
  }
}
