import { resolve } from 'node:path'
import { topOf } from '../../place/git/repository.ts'
import { isGone } from '../../place/git/tree.ts'
import { rulesAt } from '../../place/rules.ts'
import type { Seen, ToolUse } from '../../recorder/agents/seen.ts'
import type { Memo } from '../../recorder/memo.ts'
import type { Trees } from '../../recorder/trees.ts'
import type { Snapshot } from '../../recorder/work.ts'
import type { NewRecording } from '../spool/recordings.ts'
import type { Spool } from '../spool/state.ts'

// A session may go on in another working tree of its repository, and its commands may run in one.

/** A report about a session, and its recording. */
interface Report {
  seen: Seen
  recording: NewRecording
}

/** How to look at working trees in a hook. */
export interface TreeReader {
  /** By default, that of the session. */
  take: (cwd?: string) => Snapshot | undefined
  /** The top folder around another one, if it is in another working tree of the repository. */
  otherTree: (cwd: string) => string | undefined
}

/** The folder in which a command line runs: the one that the agent names, or to which the line goes first, and only once. */
export function folderOf(cwd: string, { folder = '' }: Pick<ToolUse, 'folder'>, line = ''): string {
  const [start = '', quoted, plain = ''] =
    /^\s*cd\s+(?:["']([^"'$`\\]+)["']|([^\s"'$`\\;&|<>()~*?[{]+))\s*(?:&&|;|\n)/.exec(line) ?? []
  const goesOn = /\b(?:cd|pushd|popd)\b|\s(?:-C|--git-dir|--work-tree)\b/.test(line.slice(start.length))
  return resolve(cwd, folder, goesOn ? '' : (quoted ?? plain))
}

/** Whether the working tree that the session has entered was removed. */
export const isLost = ({ recording: { tree } }: Report): boolean => tree != null && isGone({ root: tree })

/**
 * Goes on in the other working tree from which a report comes: in a clean one if the session has written nothing so far, or
 * in the one in which it began.
 */
export function enter(
  state: Spool,
  { seen, recording }: Report,
  { take, otherTree }: TreeReader,
): (Pick<Trees, 'checks'> & { entered: Snapshot }) | undefined {
  const root = seen.subagent ? undefined : otherTree(seen.cwd)
  const isBack = recording.tree != null && root === topOf(recording.cwd)
  if (root === undefined || (!isBack && hasWritten(state, recording.name))) return undefined
  const entered = take(root)
  if (!entered || (!isBack && entered.tree !== entered.commitTree)) return undefined
  return { entered, checks: rulesAt(root, entered) }
}

/** Whether a session has written something in its working tree, or may have. */
function hasWritten(state: Spool, name: string): boolean {
  const { own, edits, held, background, told: reported, commands = [] } = memoIn(state, name)
  const notes = state.notes(name)
  const trees = [...commands, ...notes.map(({ git }) => (git ?? {}) as Trees)]
  return (
    [own, edits, held, background, reported?.commits, state.unended(name)].some((done) => done?.length) ||
    notes.some(({ seen: { step } }) => step.kind === 'tool' && step.files?.length) ||
    trees.some(({ before, now }) => before && (before.tree !== now?.tree || before.log !== now.log))
  )
}

export const memoIn = (state: Spool, name: string) => (state.find(name)?.memo ?? {}) as Memo
