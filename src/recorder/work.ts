import type { Step } from '../agents/seen.ts'
import type { Snapshot } from '../cli/place/tree.ts'
import type { Stepped } from './call.ts'
import type { Memo, ToldWork, Trees } from './memo.ts'

/** A use of a tool, with the working tree if it is known. */
export interface Use {
  cwd: string
  trees: Trees
  step: Step & { kind: 'tool' }
}

/**
 * Sends the working tree during a turn, once the session has a check. Otherwise its verdict would compare the check with
 * the files as they were when the turn began. Edits between two commands are sent once, because the first one makes the
 * checks stale.
 */
export function withWork(before: Stepped, use: Use): Stepped {
  const { base, told } = before.memo
  const { now } = use.trees
  if (!told || !now || !isMoved(before.memo, use)) return before
  const isOther = now.tree !== told.tree
  const next: ToldWork = {
    tree: now.tree,
    commits: told.commits,
    isChecked: true,
    ...(use.step.command === undefined && isOther && { isEdited: true }),
  }
  const call = { operation: 'updateRun' as const, input: { git: gitOf(now, base, told.commits) } }
  return { memo: { ...before.memo, told: next }, calls: isOther ? [...before.calls, call] : before.calls }
}

/** Whether a use may have moved what the verdict of the session's run rests on. */
export const isMoved = ({ begun, ended, told }: Memo, use: Pick<Use, 'trees' | 'step'>): boolean =>
  begun === true && !ended && told !== undefined && !use.step.refused && mayMove(use, told)

/** Whether a use may add a check, or change what an earlier check tested. `told` is what the run says before it. */
export function mayMove({ trees, step }: Pick<Use, 'trees' | 'step'>, told: Partial<ToldWork>): boolean {
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
