import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { isAbsolute, join, relative, sep } from 'node:path'

export type Env = Record<string, string | undefined>

/**
 * Where Conduct keeps its files, by the XDG Base Directory Specification: profiles in `config`, and what is not sent
 * yet in `state`.
 */
export const folders = {
  config: (env: Env) => join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'conduct'),
  state: (env: Env) => join(env.XDG_STATE_HOME || join(env.HOME || homedir(), '.local', 'state'), 'conduct'),
}

/** The path from a folder to something in it; '' for the folder itself, undefined for what lies outside. */
export function pathIn(folder: string, path: string): string | undefined {
  const way = relative(folder, path)
  // On another drive of Windows, it is absolute.
  return way.split(sep)[0] === '..' || isAbsolute(way) ? undefined : way
}

/** Creates the folder if needed and closes it to other users: it holds keys and texts of prompts. */
export function privateFolder(path: string): string {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  chmodSync(path, 0o700)
  return path
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
    throw error
  }
}
