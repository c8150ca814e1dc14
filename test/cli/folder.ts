import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Spool } from '../../src/capture/spool/state.ts'

/** An empty folder, removed when the test ends. */
export function freshFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'conduct-cli-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A disk of that size, unmounted when the test ends; undefined unless this is root on Linux, who may mount one. */
export function smallDisk(t: TestContext, size: string): string | undefined {
  // It is unmounted before the folder around it is removed.
  t.after(() => spawnSync('umount', ['--lazy', small]))
  const small = join(freshFolder(t), 'small')
  mkdirSync(small)
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'conduct-test', small])
  if (status === 0) return small
  t.diagnostic('This user may not mount a file system: the full disk is not tried.')
  return undefined
}

/**
 * The environment of a user without settings, whose home is that folder, and who commits as the tests do. All share one
 * compile cache.
 */
export const homeOf = (folder: string) => ({
  PATH: process.env.PATH,
  HOME: folder,
  GIT_COMMITTER_EMAIL: 'a@b',
  ...(process.env.NODE_COMPILE_CACHE && { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }),
})

/** The recordings with calls that wait to be sent. */
export const waitingIn = (state: Pick<Spool, 'unsent'>): string[] =>
  state
    .unsent()
    .filter(({ refused }) => refused === null)
    .map(({ name }) => name)
