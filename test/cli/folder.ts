import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** An empty folder, removed when the test ends. */
export function freshFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'conduct-cli-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
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
