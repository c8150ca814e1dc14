import type { FileChanges } from '../../nouns/run/work-fields.ts'
import type { File } from '../../place/git/blend.ts'
import { entriesOf } from '../../place/git/history.ts'
import { topOf } from '../../place/git/repository.ts'
import { mostFiles, pathOf } from '../../recorder/agents/turn.ts'
import type { SessionWork } from '../../recorder/facts.ts'
import { type Memo, nowhere, type Origin, type TurnReported, type TurnTrees } from '../../recorder/memo.ts'
import type { UnendedCommand, Window } from '../../recorder/trees.ts'
import { gitAfter, isElsewhere, type Moved, type Snapshot } from '../../recorder/work.ts'
import { committedAs, committedElsewhere } from './apart.ts'
import { attempt, changedBy, changedPaths, commitsBy, type SessionGit, touchedBy, writtenByCut } from './by-command.ts'
import { changedAmong, type Left, type LineCounts, type SessionSpan, treeOfWork } from './changed.ts'
import { followed } from './followed.ts'
import { placed, writtenByOthers } from './placed.ts'
import { filesIn, ownIn, type UndoneSpan, undoneNow } from './undone.ts'

/** A turn of a session, and what the session may have changed in it. */
interface OwnWork extends SessionGit {
  /** Its name in the ledger. */
  agent: string
  cwd: string
  /** When the turn ended, in milliseconds since 1970. */
  at: number
  /** What is known of the session, with the files that its documents name and its commands. */
  memo: Memo
  /** The working tree now, and how it stands to what the run says. */
  now: Snapshot | undefined
  moved: Moved | undefined
  /** Files that its documents do not name, but its transcript. */
  inTranscript: string[]
  /** The commands whose ends no hook reported. */
  cut: UnendedCommand[]
}

const mostCommits = 500

/**
 * The files and commits of this session: those its documents name, and those its own commands changed. Anything that
 * another session may have changed at the same time is left out.
 */
export function ownWork(work: OwnWork): SessionWork {
  const { memo, now, cwd } = work
  const { draft, commands = [] } = memo
  const commits = [...new Set(commitsBy(commands, work))]
  const { apart = nowhere } = memo
  const committed = committedElsewhere(now, commits, apart)
  const here = commands.filter((command) => !isElsewhere(memo.base, command))
  const byCommands = new Set([
    ...here.flatMap((command) => changedBy(command, work)),
    ...work.cut.flatMap((command) => writtenByCut(command, work)),
    ...committed,
  ])
  const named = [...(draft?.files ?? []), ...work.inTranscript].map(
    (file) => committedAs(file, committed, apart) ?? placed(now?.root, cwd, file, byCommands),
  )
  const written = new Set([...named, ...byCommands])
  const uncredited = nobodysWork(work, written)
  const tree = gitAfter(memo, now, work.moved && { ...work.moved, apart: undefined }, commits)?.tree
  const end = now && { ...now, ...(tree !== undefined && { tree }) }
  const all = [...new Set([...(memo.told?.commits ?? []), ...commits])]
  const compared = end && comparedWith(work, { end, commits: all }, commits)
  const putBack = compared ? putBackAmong(work, here, compared).filter((path) => !written.has(path)) : []
  const turn = { written: [...written].filter(pathOf), putBack }
  const files = filesOf(work, turn, { base: compared?.base, end, commits: all, before: compared?.before })
  const diff = compared
    ? treesOf(work, { ...turn, restored: files.restored ?? [], own: ownIn(memo, files) }, compared)
    : end
      ? undefined
      : transcriptFor(work, named)
  return {
    ...files,
    ...(compared?.origin && { origin: compared.origin }),
    commits: commits.slice(-mostCommits),
    ...(uncredited && { uncredited }),
    ...(diff && { diff }),
  }
}

/** With what to compare the work of a turn. */
interface Compared extends Left {
  /** The working tree before the run and before the turn, each with what git has brought since. */
  base: Snapshot
  before: string
  origin?: Origin
}

/** With what to compare the work; undefined if the working tree is another one. */
function comparedWith(work: OwnWork, left: Left, recent: string[]): Compared | undefined {
  const { base, last = base, origin } = work.memo
  const { end, commits } = left
  if (base?.root !== end.root || last?.root !== end.root) return undefined
  const trees = { origin: origin?.tree ?? base.tree, before: last.tree }
  const snapshots = snapshotsOf(work, base, end)
  const at = snapshots.at(-1)
  const now = at && attempt(() => followed(trees, snapshots, { commits, recent, isOwn: work.isOwn }), undefined)
  if (!now) return { ...left, base: { ...base, tree: trees.origin }, before: trees.before }
  return { ...left, base: { ...base, tree: now.origin }, before: now.before, origin: { tree: now.origin, at } }
}

/**
 * The files of earlier turns that this one has put back, whoever did so with one that is as the session had left it. What
 * others wrote into a file that the session has undone stays theirs, also if a command of the session brings it back.
 */
function putBackAmong(work: OwnWork, commands: Window[], compared: Compared): string[] {
  const { undone = [] } = work.memo
  const moved = movedBy(commands, work, compared)
  const known = new Map(undone.flatMap(({ path, left }) => (left === undefined ? [] : [[path, left] as const])))
  if (known.size === 0) return moved
  const { base, end } = compared
  const now = filesIn(base, end)
  const back = [...known].flatMap(([path, left]) => (now(path) === left ? path : []))
  return [...moved.filter((path) => !known.has(path)), ...back]
}

/**
 * The files of the session that are not as before the turn, and that its commands left in another state, if only by a
 * reset or a stash. A stash that comes back in the same turn leaves no other state.
 */
function movedBy(commands: Window[], work: OwnWork, { before, end }: Compared): string[] {
  const own = new Set(work.memo.own)
  const changed = changedPaths({ ...end, tree: before }, end).filter((path) => own.has(path))
  const [first, last] = [new Map<string, File>(), new Map<string, File>()]
  for (const command of changed.length > 0 ? commands : []) {
    for (const [path, { before, after }] of touchedBy(command, work)) {
      if (!first.has(path)) first.set(path, before)
      last.set(path, after)
    }
  }
  return changed.filter((path) => first.get(path) !== last.get(path))
}

/** The snapshots since what git brought is known, up to that of the session's work, which a checkout does not move. */
function snapshotsOf({ memo, now, moved }: OwnWork, base: Snapshot, end: Snapshot): Snapshot[] {
  const { origin, commands = [] } = memo
  const first = origin?.at ?? base
  const { log } = first
  if (!now || log === undefined) return []
  const last = end.tree === now.tree ? now : madeAt(first, now, moved)
  if (!last) return []
  const between = commands
    .flatMap(({ before, now }) => [before, now])
    .filter((one) => one?.root === base.root && isWithin(one, first, last))
  return [first, ...between.flatMap((one) => one ?? []).sort((a, b) => (a.takenAt ?? 0) - (b.takenAt ?? 0)), last]
}

const isWithin = (one: Snapshot, first: Snapshot, last: Snapshot): boolean =>
  one.log !== undefined && one.log >= (first.log ?? 0) && one.log <= (last.log ?? 0)

/** The state at the last commit of the session, from which a checkout has gone on. */
function madeAt({ log = 0 }: Snapshot, now: Snapshot, moved: Moved | undefined): Snapshot | undefined {
  const { made } = moved ?? {}
  const entry = made && entriesOf(now, log, now.log ?? log).findLast(({ id }) => id === made.commit)
  const { bringing: _, ...rest } = now
  return entry && { ...rest, tree: made.tree, log: entry.end, git: { ...now.git, commit: made.commit } }
}

/** From what to make the diffs of the turn. */
function treesOf(
  { memo, ...work }: OwnWork,
  files: Pick<TurnTrees, 'written' | 'putBack' | 'restored' | 'own'>,
  { base, before, end, commits }: Compared,
): TurnTrees {
  const { written, own } = files
  const { startedAt = 0 } = memo
  const othersSince = (from: number) => writtenByOthers(end.root, work, from)
  const others = othersSince(memo.draft?.startedAt ?? startedAt)
  const since = othersSince(startedAt)
  return {
    root: end.root,
    objects: end.objects,
    base: base.tree,
    before,
    after: attempt(() => treeOfWork(own, base, { end, commits }), end.tree),
    ...files,
    shared: written.filter((path) => others.has(path)),
    sharedSince: own.filter((path) => since.has(path)),
  }
}

/** Where the transcript tells what the turn wrote; undefined in a repository, whose tree is only unknown now. */
function transcriptFor({ memo, agent, cwd, at }: OwnWork, named: string[]): TurnReported | undefined {
  const { transcript, subagents = [], startedAt = 0, draft, base } = memo
  if (transcript === undefined || named.length === 0 || base || topOf(cwd) !== undefined) return undefined
  return { agent, transcript, subagents, cwd, since: startedAt, from: draft?.startedAt ?? startedAt, until: at }
}

/** What the turn says about files of which these were written in it, and what is known of all of them then. */
function filesOf(
  { memo }: OwnWork,
  { written, putBack }: Pick<TurnTrees, 'written' | 'putBack'>,
  span: SessionSpan & UndoneSpan,
): Omit<SessionWork, 'commits'> {
  const { own: before = [], undone: undoneBefore = [], isCut } = memo
  const own = [...new Set([...before, ...written])]
  const changed = changedAmong(own, span)
  const isNews = new Set([...putBack, ...written])
  const files = [...isNews].flatMap((path) => (changed.has(path) ? [{ path, ...changed.get(path) }] : []))
  const wasUndone = new Set(undoneBefore.map(({ path }) => path))
  const same = own.filter((path) => !changed.has(path) && !wasUndone.has(path))
  const wasOwn = new Set(before)
  const restored = same.filter((path) => wasOwn.has(path))
  const undone = [
    ...undoneBefore.filter(({ path }) => !isNews.has(path) || !changed.has(path)),
    ...undoneNow(same, span),
  ]
  for (const { path } of undone) changed.delete(path)
  const omitted = files.length - mostFiles
  const isNowCut = isCut || omitted > 0 || restored.length > mostFiles
  return {
    files: files.slice(0, mostFiles),
    ...(omitted > 0 && { filesOmitted: omitted }),
    ...(restored.length > 0 && { restored: restored.slice(0, mostFiles) }),
    ...(isNowCut && { changes: totalOf([...changed.values()]) }),
    own,
    undone,
  }
}

function totalOf(files: LineCounts[]): FileChanges {
  const sum = (which: keyof LineCounts) => files.reduce((total, file) => total + (file[which] ?? 0), 0)
  return { files: files.length, insertions: sum('insertions'), deletions: sum('deletions') }
}

/** The files that changed while several sessions ran commands, and that none of them names. */
function nobodysWork(work: OwnWork, own: Set<string>): SessionWork['uncredited'] {
  const { state, name, memo } = work
  const paths = new Set<string>()
  let sessions = 0
  for (const { from, to, before, now } of memo.commands ?? []) {
    if (!before || !now || before.root !== now.root || before.tree === now.tree) continue
    const rivals = state.rivals(name, now.root, from, to).length
    if (rivals === 0) continue
    const named = writtenByOthers(now.root, work, from)
    const changed = changedPaths(before, now).filter((path) => !own.has(path) && !named.has(path))
    if (changed.length > 0) sessions = Math.max(sessions, rivals + 1)
    for (const path of changed) paths.add(path)
  }
  return paths.size > 0 ? { files: paths.size, sessions } : undefined
}
