import { lstatSync, realpathSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, join, relative, resolve, sep } from 'node:path'
import { folders } from '../nouns/run/verdict/command-list.ts'
import type { Env } from './folders.ts'
import { isProgram } from './program.ts'

/** A command, and where it runs. */
export interface Ran {
  words: readonly string[]
  cwd: string
  env: Env
  /** The top of the project. */
  root: string
  /** When the session began, in milliseconds since 1970; undefined if there is none. */
  since?: number | undefined
}

/** How many words may be launchers or the program that they start. */
const mostWords = 4

/**
 * What a reader should know about the programs of a command, who trusts its check: that the PATH finds one inside the
 * project or in a folder for temporary files, or that one changed in the session. One sentence each.
 */
export function programRemarks({ words, ...place }: Ran): string[] {
  const end = words.findIndex((word) => word.startsWith('-'))
  const names = words.slice(0, end < 0 ? mostWords : Math.min(end, mostWords)).filter((word) => !word.includes('='))
  return names.flatMap((name) => remarkOn(name, place) ?? [])
}

function remarkOn(name: string, { cwd, env, root, since }: Omit<Ran, 'words'>): string | undefined {
  const path = pathOf(name, cwd, env)
  if (path === undefined) return undefined
  const real = realpathSync(path)
  const shown = isIn(root, path) ? relative(root, path) : path
  const where = isInstalled(path) ? undefined : (placeOf(path, root) ?? placeOf(real, root))
  if (where !== undefined) return `On the PATH, ${name} is ${shown}, ${where}.`
  // Nobody sets this time, unlike that of the last change of the content.
  const changedAt = Math.max(lstatSync(path).ctimeMs, statSync(real).ctimeMs)
  return since !== undefined && changedAt >= since ? `The program ${shown} changed since the session began.` : undefined
}

/** The program that a word names; undefined for a path of the work, which is in its tree. */
function pathOf(name: string, cwd: string, { PATH = '' }: Env): string | undefined {
  if (name.includes('/')) return [resolve(cwd, name)].find((path) => folders.test(name) && isProgram(path))
  return PATH.split(delimiter)
    .map((folder) => resolve(cwd, folder, name))
    .find(isProgram)
}

const placeOf = (path: string, root: string): string | undefined => {
  if (isIn(root, path)) return 'inside the project'
  return temporary().some((folder) => isIn(folder, path)) ? 'in a folder for temporary files' : undefined
}

const isIn = (folder: string, path: string) => path.startsWith(folder + sep)

const temporary = () => [tmpdir(), '/tmp', '/var/tmp', '/dev/shm']

/** Whether a package manager installs programs into the folder: that of npm, or of a virtual environment of Python. */
function isInstalled(path: string): boolean {
  const folder = dirname(path)
  if (folder.endsWith(join('node_modules', '.bin'))) return true
  return basename(folder) === 'bin' && statSync(join(folder, '../pyvenv.cfg'), { throwIfNoEntry: false }) !== undefined
}
