import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { humanIdPattern } from '../../ledger/id.ts'
import { git } from './git.ts'

export const projectFile = 'conduct.json'

/**
 * The project that a folder belongs to: the one in the nearest `conduct.json` (also that of the main worktree), else
 * owner and name from the git origin, else the name of the repository's folder, else that of the folder itself. All
 * worktrees of a repository share one project. Throws an Error that names a `conduct.json` it cannot read.
 */
export function projectOf(cwd: string): string {
  const declared = declaredProject(cwd)
  if (declared !== undefined) return declared
  const main = mainWorktree(cwd)
  const origin = main && git(main, 'remote', 'get-url', 'origin')
  return slugOf(origin ? ownerAndName(origin) : basename(main ?? resolve(cwd)))
}

/** The project that a `conduct.json` names. */
export function declaredProject(cwd: string): string | undefined {
  const path = projectFileOf(cwd)
  return path && readProject(path)
}

/** The nearest `conduct.json`: in the folder or one above it, else in the main worktree. */
export const projectFileOf = (cwd: string): string | undefined => nearestFile(cwd) ?? nearestFile(mainWorktree(cwd))

function nearestFile(cwd: string | undefined): string | undefined {
  for (let folder = cwd && resolve(cwd); folder; folder = folder === dirname(folder) ? undefined : dirname(folder)) {
    const path = join(folder, projectFile)
    if (existsSync(path)) return path
  }
}

function readProject(path: string): string {
  try {
    const { project } = JSON.parse(readFileSync(path, 'utf8')) as { project?: unknown }
    if (typeof project === 'string' && humanIdPattern.test(project)) return project
  } catch {
    // The schema below reports it like any other wrong content.
  }
  throw new Error(`${path} must be { "project": "<slug>" }, a slug of letters, digits and . _ : -`)
}

/** The top folder of the repository itself, wherever its worktrees are. */
function mainWorktree(cwd: string): string | undefined {
  const common = git(cwd, 'rev-parse', '--path-format=absolute', '--git-common-dir')
  return common && (basename(common) === '.git' ? dirname(common) : common)
}

/** `owner.name` from `git@host:owner/name.git` and from `https://user:password@host/group/owner/name`. */
function ownerAndName(origin: string): string {
  const path = origin.replace(/(?<=^https?:\/\/)[^/]*@/, '').replace(/\.git\/*$/, '')
  return path.split(/[/:]/).filter(Boolean).slice(-2).join('.')
}

/** The valid slug that comes closest to the text. */
function slugOf(text: string): string {
  const slug = text
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 128)
  return slug || 'default'
}
