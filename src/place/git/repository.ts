import { statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { realPath } from '../../system/paths.ts'
import { isTrusted } from '../../system/private.ts'
import { foreignText } from '../foreign.ts'

/** A git repository with a working tree. All paths are absolute and without links. */
export interface Repository {
  /** The top folder of the working tree. */
  root: string
  /** The folder of this working tree's own data, such as HEAD and the index. */
  gitDir: string
  /** The folder of what all working trees share: objects, branches and settings. */
  commonDir: string
}

/**
 * The repository around a folder; undefined outside git. A bare repository does not count: a clone may contain one,
 * with settings that its author chose. Nor does that of another user in a folder that all users share, whose settings
 * would name the author of a run. If the environment names both repository and working tree, those count, whatever
 * the folder.
 */
export function repositoryAt(cwd: string): Repository | undefined {
  const { GIT_DIR, GIT_WORK_TREE, GIT_COMMON_DIR } = process.env
  try {
    if (GIT_DIR && GIT_WORK_TREE) return repositoryOf(resolve(GIT_WORK_TREE), resolve(GIT_DIR), GIT_COMMON_DIR)
    const work = realPath(cwd)
    for (let folder = work; ; folder = dirname(folder)) {
      const mayCount = folder === work || isTrusted(join(folder, '.git'), work)
      const found = mayCount ? repositoryIn(folder) : undefined
      if (found || folder === dirname(folder)) return found
    }
  } catch {
    // A folder that is gone, or a `.git` that git would refuse, too.
    return undefined
  }
}

/** The repository whose working tree begins at exactly that folder. Throws if its `.git` cannot be read. */
export function repositoryIn(folder: string): Repository | undefined {
  const path = join(folder, '.git')
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat?.isDirectory()) return repositoryOf(folder, path)
  if (!stat?.isFile()) return undefined
  const [, target] = /^gitdir: ([^\0\r\n]+)/.exec(foreignText(path) ?? '') ?? []
  return target === undefined ? undefined : repositoryOf(folder, resolve(folder, target))
}

function repositoryOf(root: string, gitDir: string, common?: string): Repository | undefined {
  const shared = common || foreignText(join(gitDir, 'commondir'))?.trim()
  const commonDir = resolve(gitDir, shared || '.')
  const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  if (!isFolder(join(commonDir, 'objects')) || !isFolder(join(commonDir, 'refs'))) return undefined
  return { root: realPath(root), gitDir: realPath(gitDir), commonDir: realPath(commonDir) }
}

/** The top folder of the working tree around `cwd`; undefined outside git. */
export const topOf = (cwd: string): string | undefined => repositoryAt(cwd)?.root

/** The top folder of the repository itself, wherever its working trees are; undefined outside git. */
export function mainFolderOf(cwd: string): string | undefined {
  const common = repositoryAt(cwd)?.commonDir
  return common && (basename(common) === '.git' ? dirname(common) : common)
}
