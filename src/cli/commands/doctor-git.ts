import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gitEnv, gitIn } from '../place/git.ts'
import { snapshot } from '../place/tree.ts'
import { type Finding, found } from './finding.ts'

const missing = 'runs here have no commits, no changes, and no files that commands wrote'

/** Whether git shows the working tree of this folder. No finding outside git. */
export function gitFindings(cwd: string): Finding[] {
  try {
    const root = gitIn(cwd, { env: { ...gitEnv(), LC_ALL: 'C' } }, 'rev-parse', '--show-toplevel').trim()
    return [treeFinding(root)]
  } catch (error) {
    const { code, stderr = '' } = error as { code?: string; stderr?: string }
    const [, why = code] = /^fatal: (.*)/m.exec(stderr) ?? []
    return why?.startsWith('not a git repository')
      ? []
      : [found('git', 'warn', `git refuses this folder (${why}): ${missing}`)]
  }
}

function treeFinding(root: string): Finding {
  const objects = mkdtempSync(join(tmpdir(), 'conduct-objects-'))
  try {
    return snapshot(root, objects)
      ? found('git', 'ok', root)
      : found('git', 'warn', `git cannot read the working tree of ${root}, or not within ten seconds: ${missing}`)
  } finally {
    rmSync(objects, { recursive: true, force: true })
  }
}
