import type { Snapshot } from '../../recorder/work.ts'
import { askOf, authoredAmong, entriesOf, type HeadStep, type IsOwn, making } from './history.ts'

/** A change that git brought into a working tree from elsewhere: what differs between two commits. */
export interface Brought {
  from: string
  to: string
  /** A merge or a pick brought it to the commit that was there; otherwise, HEAD moved. */
  isMerged: boolean
  /** A reset, which may have left the files as they were. */
  isReset: boolean
}

/** What git brought between two snapshots of one working tree, in that order. */
export function broughtBetween(before: Snapshot, now: Snapshot, isOwn: IsOwn): Brought[] {
  if (before.root !== now.root) return []
  const pending = before.bringing ?? []
  const steps = movesIn(before, now)
  const isEnded = steps.some(({ what }) => making.test(what))
  // What has ended without a commit was aborted.
  const aborted = isEnded ? [] : pending.filter((one) => !has(now, one))
  // A merge or pick that has ended brought all of it before.
  const ending = pending.some(({ isPick }) => isPick) ? steps.find(({ what }) => making.test(what)) : undefined
  const isKnown = ({ isMerged, to }: Brought) => isMerged && pending.some(({ commit }) => commit === to)
  const brought = steps.filter((step) => step !== ending).flatMap((step) => broughtBy(now, step, isOwn))
  const begun = (now.bringing ?? []).filter((one) => !has(before, one))
  return [
    ...aborted
      .flatMap((one) => bringingOf(before, one, isOwn))
      .map(({ from, to, ...how }) => ({ ...how, from: to, to: from })),
    ...brought.filter((one) => !isKnown(one)),
    ...begun.flatMap((one) => bringingOf(now, one, isOwn)),
  ]
}

type Bringing = NonNullable<Snapshot['bringing']>

const has = ({ bringing = [] }: Snapshot, { commit }: Bringing[number]) => bringing.some((one) => one.commit === commit)

function movesIn(before: Snapshot, now: Snapshot): HeadStep[] {
  if (before.log === undefined || now.log === undefined || now.log <= before.log) return []
  return entriesOf(now, before.log, now.log).filter(({ old, id }) => old !== id && !/^0+$/.test(old))
}

const merged = { isMerged: true, isReset: false }

/** What one step of HEAD brought. A commit brings nothing, whoever makes it: its files were there before. */
function broughtBy(now: Snapshot, step: HeadStep, isOwn: IsOwn): Brought[] {
  const { old, id, what } = step
  if (!making.test(what)) {
    const from = /\(start\)/.test(what) ? (askOf(now, 'merge-base', old, id) ?? old) : old
    return [{ from, to: id, isMerged: false, isReset: /^reset\b/.test(what) }]
  }
  if (/^commit \(merge\)|: Merge made by /.test(what)) {
    const [, first = id, ...others] = askOf(now, 'rev-list', '--no-walk', '--parents', id)?.split(' ') ?? []
    return others.flatMap((other) => mergeOf(now, first, other))
  }
  const isPick = /^(?:cherry-pick|am|commit \(cherry-pick\))/.test(what)
  return isPick && isOthers(now, id, isOwn) ? [{ from: old, to: id, ...merged }] : []
}

/** What a merge or pick brings that is not over. */
function bringingOf(at: Snapshot, { commit, isPick }: Bringing[number], isOwn: IsOwn): Brought[] {
  if (!isPick) return at.git.commit === undefined ? [] : mergeOf(at, at.git.commit, commit)
  const parent = isOthers(at, commit, isOwn) ? askOf(at, 'rev-parse', '--verify', '--quiet', `${commit}^1`) : undefined
  return parent === undefined ? [] : [{ from: parent, to: commit, ...merged }]
}

function mergeOf(at: Snapshot, one: string, other: string): Brought[] {
  const from = askOf(at, 'merge-base', one, other)
  return from === undefined ? [] : [{ from, to: other, ...merged }]
}

/** Whether somebody else is the author of a commit. */
const isOthers = (at: Snapshot, commit: string, isOwn: IsOwn) => authoredAmong(at, [commit], isOwn).length === 0
