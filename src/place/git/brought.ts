import { mailOf } from '../../contract/person.ts'
import type { Snapshot } from '../../recorder/work.ts'
import { askOf, authoredAmong, entriesOf, type HeadStep, type IsOwn, making } from './history.ts'

/** A change that git brought into a working tree from elsewhere: what differs between two commits. */
export interface Brought {
  from: string
  to: string
  /** A merge or a pick brought it to the commit that was there; otherwise, HEAD moved. */
  isMerged: boolean
  /** A reset, which may have left the files as they were. */
  isReset?: true
  /** The end of a merge or pick without a commit, which may have left its files. */
  isAborted?: true
}

/** What git brought between two snapshots of one working tree, in that order. */
export function broughtBetween(before: Snapshot, now: Snapshot, isOwn: IsOwn): Brought[] {
  if (before.root !== now.root) return []
  const pending = before.bringing ?? []
  const steps = movesIn(before, now)
  const ending = pending.length > 0 ? steps.find(({ what }) => isEnding.test(what)) : undefined
  // What has ended without a commit was aborted.
  const aborted = ending ? [] : pending.filter((one) => !has(now, one))
  // The commit that ends a merge or pick brings nothing that was not there before.
  const brought = steps.filter((step) => step !== ending).flatMap((step) => broughtBy(now, step, isOwn))
  const begun = (now.bringing ?? []).filter((one) => !has(before, one))
  const [from, to] = [before.commitTree, now.commitTree]
  const isSameCommit = before.git.commit === now.git.commit
  return [
    // A submodule of the commit was checked out or removed.
    ...(isSameCommit && from && to && from !== to ? [{ from, to, ...merged }] : []),
    ...aborted.flatMap((one) => abortOf(before, one, isOwn)),
    ...brought,
    ...begun.flatMap((one) => bringingOf(now, one, isOwn)),
  ]
}

const isEnding = /^(?:commit \((?:merge|cherry-pick)\)|cherry-pick\b)/

type Bringing = NonNullable<Snapshot['bringing']>

const has = ({ bringing = [] }: Snapshot, { commit }: Bringing[number]) => bringing.some((one) => one.commit === commit)

function movesIn(before: Snapshot, now: Snapshot): HeadStep[] {
  if (before.log === undefined || now.log === undefined || now.log <= before.log) return []
  return entriesOf(now, before.log, now.log).filter(({ old, id }) => old !== id && !/^0+$/.test(old))
}

const merged = { isMerged: true }

/** What one step of HEAD brought. A commit brings nothing, whoever makes it: its files were there before. */
function broughtBy(now: Snapshot, step: HeadStep, isOwn: IsOwn): Brought[] {
  const { old, id, what } = step
  if (!making.test(what)) {
    const from = /\(start\)/.test(what) ? (askOf(now, 'merge-base', old, id) ?? old) : old
    return [{ from, to: id, isMerged: false, ...(/^reset\b/.test(what) && { isReset: true }) }]
  }
  if (/^commit \(merge\)|: Merge made by /.test(what)) {
    const [, first = id, ...others] = askOf(now, 'rev-list', '--no-walk', '--parents', id)?.split(' ') ?? []
    return others.flatMap((other) => mergeOf(now, first, other))
  }
  const isPick = /^(?:cherry-pick|am|commit \(cherry-pick\))/.test(what)
  return isPick && authoredAmong(now, [id], isOwn).length === 0 ? [{ from: old, to: id, ...merged }] : []
}

/** What a merge or pick brings that is not over. */
function bringingOf(at: Snapshot, { commit, isPick }: Bringing[number], isOwn: IsOwn): Brought[] {
  if (!isPick) return at.git.commit === undefined ? [] : mergeOf(at, at.git.commit, commit)
  const printed = askOf(at, 'log', '-1', '--no-show-signature', '--format=%ae %P', commit)
  const [author, parent] = printed?.split(' ') ?? []
  return parent === undefined || isOwn(mailOf(author)) ? [] : [{ from: parent, to: commit, ...merged }]
}

/** Back to the commit at HEAD, which may have some of it from elsewhere. */
function abortOf(before: Snapshot, one: Bringing[number], isOwn: IsOwn): Brought[] {
  const { commit: head } = before.git
  if (head === undefined || bringingOf(before, one, isOwn).length === 0) return []
  return [{ from: one.commit, to: head, ...merged, isAborted: true }]
}

function mergeOf(at: Snapshot, one: string, other: string): Brought[] {
  const from = askOf(at, 'merge-base', one, other)
  return from === undefined ? [] : [{ from, to: other, ...merged }]
}
