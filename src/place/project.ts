import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { humanIdPattern } from '../contract/id.ts'
import { isTrusted } from '../system/private.ts'
import { SettingError } from '../terminal/exit.ts'
import { foreignText, jsonIn } from './foreign.ts'
import { withRepository } from './git/guarded.ts'
import { mainFolderOf, topOf } from './git/repository.ts'

export const projectFile = 'conduct.json'

/**
 * The project that a folder belongs to: the one in the nearest `conduct.json` (also that of the main worktree), else
 * owner and name from the git origin, else the name of the repository's folder, else that of the folder itself. All
 * worktrees of a repository share one project. Throws an Error that names a `conduct.json` it cannot read.
 */
export function projectOf(cwd: string): string {
  const declared = declaredProject(cwd)
  if (declared !== undefined) return declared
  const main = mainFolderOf(cwd)
  const origin = withRepository(cwd, ({ settings }) => settings['remote.origin.url'])
  return slugOf(origin ? ownerAndName(origin) : basename(main ?? resolve(cwd)))
}

/** The project that a `conduct.json` names. */
export function declaredProject(cwd: string): string | undefined {
  const path = projectFileOf(cwd)
  return path && readProject(path)
}

/** The nearest `conduct.json`: in the folder or one above it, else in the main worktree. */
export function projectFileOf(cwd: string): string | undefined {
  return projectFileAbove(cwd) ?? nearestFile(mainFolderOf(cwd), resolve(cwd))
}

/** The nearest `conduct.json` in the folder or one above it. */
export const projectFileAbove = (cwd: string): string | undefined => nearestFile(resolve(cwd), resolve(cwd))

function nearestFile(from: string | undefined, work: string): string | undefined {
  for (let folder = from; folder; folder = folder === dirname(folder) ? undefined : dirname(folder)) {
    const path = join(folder, projectFile)
    if (existsSync(path) && (folder === work || isTrusted(path, work))) return path
  }
}

/**
 * The text of a `conduct.json`. Throws an Error that names the file if it is no regular file, larger than 1 MiB, or
 * leads out of its repository through a link.
 */
export function projectText(path: string): string {
  const folder = dirname(path)
  return foreignText(path, { within: topOf(folder) ?? folder }) ?? ''
}

function readProject(path: string): string | undefined {
  const file = readJson(path) as { project?: unknown } | null
  // Other programs have files of this name, which name no project.
  if (typeof file === 'object' && file !== null && !Array.isArray(file) && !('project' in file)) return undefined
  const project = file?.project
  if (typeof project === 'string' && humanIdPattern.test(project)) return project
  throw new SettingError(`${path} must be { "project": "<slug>" }, a slug of letters, digits and . _ : -`)
}

function readJson(path: string): unknown {
  const text = projectText(path)
  try {
    return jsonIn(text)
  } catch (error) {
    throw new SettingError(`${path} must be { "project": "<slug>" }, but ${(error as Error).message}`)
  }
}

/** `owner.name` from `git@host:owner/name.git` and from `https://user:password@host/group/owner/name`. */
function ownerAndName(origin: string): string {
  const path = origin.replace(/(?<=^https?:\/\/)[^/]*@/, '').replace(/\.git\/*$/, '')
  return path.split(/[/:]/).filter(Boolean).slice(-2).join('.')
}

/** The valid slug that comes closest to the text. Where that has letters without one in ASCII, it ends with a digest. */
function slugOf(text: string): string {
  const plain = text.normalize('NFKD').replace(/\p{M}+/gu, '')
  const slug = plain
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 128)
  if (/^\p{ASCII}*$/u.test(plain)) return slug || 'default'
  return `${slug.slice(0, 120).replace(/-$/, '') || 'project'}-${hash('sha256', text.normalize('NFC')).slice(0, 6)}`
}
