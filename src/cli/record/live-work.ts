import type { Step } from '../../agents/seen.ts'
import { newCall } from '../../spool/calls.ts'
import { type Snapshot, snapshot } from '../place/tree.ts'
import type { Memo } from './memo.ts'
import type { Trees } from './note.ts'
import type { Session, Settled } from './session.ts'

/** What the run says about the session's working tree. */
export interface ToldWork {
  tree: string
  /** All commits of the session, oldest first. */
  commits: string[]
  /** Whether the run may have a check, so that its verdict depends on the tree. */
  isChecked?: true
  /** Whether a tool has changed a file since the last command, and the run says so. */
  isEdited?: true
}

/** A use of a tool, with the working tree if it is known. */
interface Use {
  trees: Trees
  step: Step & { kind: 'tool' }
}

/**
 * Sends the working tree during a turn, once the session has a check. Otherwise its verdict would compare the check with
 * the files as they were when the turn began. Edits between two commands are sent once, because the first one makes the
 * checks stale.
 */
export function withWork(use: Use, session: Session, settled: Settled): Settled {
  const { trees, step } = use
  const { calls, memo, ended } = settled
  const { begun, base, told } = memo
  if (!begun || ended || told === undefined || step.refused || !mayMove(use, told)) return settled
  const now = trees.now ?? snapshot(session.recording.cwd, session.objects)
  if (now === undefined) return settled
  const isMoved = now.tree !== told.tree
  const next: ToldWork = {
    tree: now.tree,
    commits: told.commits,
    isChecked: true,
    ...(step.command === undefined && isMoved && { isEdited: true }),
  }
  const call = newCall('updateRun', { git: gitOf(now, base, told.commits) })
  return { ...settled, calls: isMoved ? [...calls, call] : calls, memo: { ...memo, told: next } }
}

/** Whether a use may add a check, or change what an earlier check tested. `told` is what the run says before it. */
export function mayMove({ trees, step }: Use, told: Partial<ToldWork>): boolean {
  const { tool, command, files = [] } = step
  // A check by a rule of conduct.json, by `conduct check exec`, or by the tool of the MCP server.
  if (trees.home !== undefined || /\bcheck exec\b/.test(command ?? '') || tool.endsWith('record_check')) return true
  if (!told.isChecked) return false
  if (command !== undefined) return trees.now !== undefined && trees.now.tree !== told.tree
  return files.length > 0 && !told.isEdited
}

/** The git fields of a run whose session began at `base`. */
export const gitOf = (now: Snapshot, base: Memo['base'], commits: string[]): Snapshot['git'] => ({
  ...now.git,
  ...(base?.git.commit && { base: base.git.commit }),
  ...(commits.length > 0 && { commits }),
})
