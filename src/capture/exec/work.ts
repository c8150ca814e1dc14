import type { Input } from '../../operations/routes.ts'
import { commitsMade, isOwnIn } from '../../place/git/history.ts'
import { nowhere } from '../../recorder/memo.ts'
import { type Snapshot, unknownWork } from '../../recorder/work.ts'
import { apartFrom } from '../work/apart.ts'
import { changesMade, uncommittedSince } from '../work/moved.ts'

/** The git fields at the end. Where git cannot tell, nobody knows the files of the run any more. */
export function workAt(before: Snapshot, after: Snapshot | undefined): ReturnType<typeof workOf> {
  if (after) return workOf(before, after)
  const { git } = workOf(before)
  const unknown = git && unknownWork({ told: { tree: before.tree, git, commits: [] } })
  return unknown ? { git: unknown } : {}
}

/** The git fields of a run: its base, its current state, and the changes between them. */
export function workOf(before: Snapshot | undefined, after = before): Pick<Input<'createRun'>, 'git' | 'changes'> {
  if (!before || !after) return {}
  const base = before.git.commit
  const { commitTree } = after
  const isOwn = isOwnIn(after.root, process.env.GIT_COMMITTER_EMAIL)
  const commits = before === after ? [] : commitsMade(after, before.log ?? 0, after.log ?? 0, isOwn)
  const uncommitted = uncommittedSince(before, after)
  const git = {
    ...after.git,
    ...(base !== undefined && { base }),
    ...(commitTree && { commitTree, uncommitted }),
    ...(commits.length > 0 && { commits: commits.slice(-500) }),
    ...apartFrom(after, { base: before, apart: { ...nowhere, commits }, uncommitted }),
  }
  return before === after ? { git } : { git, changes: changesMade(before, after, { made: commits, isOwn }) }
}
