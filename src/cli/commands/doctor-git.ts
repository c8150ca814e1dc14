import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { snapshotOrFault } from '../../place/git/tree.ts'
import { type Finding, found } from './finding.ts'

/** How long git may take here, in milliseconds. A hook gives it less. */
const gitMs = 3_000

const missing = 'runs here have no commits, no changes, and no files that commands wrote'

/** Whether git shows the working tree of this folder. No finding outside git. */
export function gitFindings(cwd: string): Finding[] {
  const objects = mkdtempSync(join(tmpdir(), 'conduct-objects-'))
  try {
    const taken = snapshotOrFault(cwd, objects, gitMs)
    return taken ? [found('git', 'ok', taken.root)] : []
  } catch (error) {
    return [found('git', 'warn', `git cannot read the working tree here (${whyOf(error as Error)}): ${missing}`)]
  } finally {
    rmSync(objects, { recursive: true, force: true })
  }
}

function whyOf({ message, code }: NodeJS.ErrnoException): string {
  if (code === 'ETIMEDOUT') return 'not within three seconds'
  if (code === 'ENOENT') return 'there is no program git on the PATH'
  return /^(?:fatal|error): (.*)/m.exec(message)?.[1] ?? message
}
