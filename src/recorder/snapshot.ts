import type { RunInput } from '../nouns/run/fields.ts'

/** The state of a working tree at one moment, with uncommitted and new files. */
export interface Snapshot {
  /** The top folder of the working tree. */
  root: string
  /** The id of git's tree object, which is stored in `objects`. */
  tree: string
  /** The tree of the commit at HEAD, in the same form as `tree`. Missing before the first commit. */
  commitTree?: string
  /** A folder of git objects outside the repository, which stays untouched. */
  objects: string
  /** The length of git's reflog of HEAD at that moment, in bytes. It tells later which commits are new. */
  log?: number
  /** The newest stash at that moment, shared by all working trees. */
  stash?: string
  /** The `git` fields of a run. */
  git: NonNullable<RunInput['git']>
}
