import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { uncommittedSince } from '../../src/capture/work/moved.ts'
import type { Snapshot } from '../../src/recorder/work.ts'

/**
 * The tree that git would commit if each of these repositories in the folder were a plain folder. Changes neither the
 * index nor the objects of the repository.
 */
export function plainTree(cwd: string, nested: string[] = []): string {
  const aside = mkdtempSync(join(tmpdir(), 'conduct-aside-'))
  const env = { ...process.env, GIT_INDEX_FILE: join(aside, 'index'), GIT_OBJECT_DIRECTORY: join(aside, 'objects') }
  const own = join(git(cwd, process.env, 'rev-parse', '--path-format=absolute', '--git-common-dir'), 'objects')
  const all = { ...env, GIT_ALTERNATE_OBJECT_DIRECTORIES: own }
  const index = git(cwd, process.env, 'rev-parse', '--path-format=absolute', '--git-path', 'index')
  const dotGit = (path: string) => join(cwd, path, '.git')
  try {
    execFileSync('mkdir', [all.GIT_OBJECT_DIRECTORY])
    if (existsSync(index)) execFileSync('cp', ['-p', index, all.GIT_INDEX_FILE])
    for (const path of nested) git(cwd, all, 'update-index', '--force-remove', path)
    for (const [at, path] of nested.entries()) renameSync(dotGit(path), join(aside, `git-${at}`))
    git(cwd, all, 'add', '-A')
    return git(cwd, all, 'write-tree')
  } finally {
    for (const [at, path] of nested.entries()) {
      if (existsSync(join(aside, `git-${at}`))) renameSync(join(aside, `git-${at}`), dotGit(path))
    }
    rmSync(aside, { recursive: true, force: true })
  }
}

const git = (cwd: string, env: NodeJS.ProcessEnv, ...words: string[]) =>
  execFileSync('git', words, { cwd, env, encoding: 'utf8', stdio: 'pipe' }).trim()

/** The files that differ from the commit of a snapshot; undefined if that is unknown. */
export const uncommittedPaths = (now: Snapshot): string[] | undefined => uncommittedSince(undefined, now)?.paths
