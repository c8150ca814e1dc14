import { hostname } from 'node:os'
import { basename, isAbsolute } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { mask, maskDeep } from '../../mask/mask.ts'
import { shellWords } from '../../nouns/run/verdict/shell-words.ts'
import type { Env } from '../../place/folders.ts'
import { authorOf } from '../../place/git/guarded.ts'
import { type IsOwn, isOwnIn } from '../../place/git/history.ts'
import { isGone, repositoryBehind, snapshot } from '../../place/git/tree.ts'
import { checkRules } from '../../place/rules.ts'
import type { Seen, Step, Transcript } from '../../recorder/agents/seen.ts'
import { isWriter } from '../../recorder/agents/tools.ts'
import { cut, unheardIn } from '../../recorder/agents/turn.ts'
import { aboutTurn } from '../../recorder/agents/turn-about.ts'
import { loadPrices } from '../../recorder/agents/usage.ts'
import type { Facts } from '../../recorder/facts.ts'
import { type Memo, withApart } from '../../recorder/memo.ts'
import { isOpen, needsTranscript, needsTree } from '../../recorder/step.ts'
import type { RecordRules, Trees, UnendedCommand, Window } from '../../recorder/trees.ts'
import { isLost } from '../../recorder/turn.ts'
import { isElsewhere, isMoved, type Snapshot } from '../../recorder/work.ts'
import { ranBy, readingOf, readLine } from '../command/checked.ts'
import { leavesProcess } from '../command/line-commands.ts'
import type { Note } from '../spool/notes.ts'
import { type Recording, workFolder } from '../spool/recordings.ts'
import type { Spool } from '../spool/state.ts'
import { didApart, leftBehind } from '../work/apart.ts'
import { changedIn } from '../work/changed.ts'
import { changeDuring, checkRemarks, movedTo } from '../work/moved.ts'
import { ownWork } from '../work/own-work.ts'
import { placed } from '../work/placed.ts'

/** A session whose notes are being settled. */
export interface SettlingSession {
  state: Spool
  recording: Recording
  env: Env
  /** Where the objects of its snapshots are stored. */
  objects: string
  /** Which of its texts to record, by the current rules. */
  rules: RecordRules
  /**
   * The current content of its transcript, or that until a time, in milliseconds since 1970; empty if there is none or it
   * cannot be read.
   */
  transcript(until?: number): Promise<Transcript>
}

/** A report, its texts masked. */
interface Given {
  seen: Seen
  at: number
  trees: Trees
  /** When the next prompt came, if one did: what the transcript says later is not about this report. */
  until?: number | undefined
}

/** What this machine knows that the step needs. */
export async function factsOf(session: SettlingSession, memo: Memo, given: Given): Promise<Facts> {
  const { recording, rules } = session
  const { seen, at, until, trees } = given
  const { step } = seen
  const read = needsTranscript(memo, seen, trees)
    ? await withoutSecrets(reportedOf(await session.transcript(step.kind === 'prompt' ? at : until), memo, given))
    : {}
  const reported = step.kind === 'prompt' || memo.closing ? unlessCut(read, trees.cut) : read
  const isPriced = reported.usage !== undefined || (step.kind === 'turn' && step.usage !== undefined)
  const left = memo.closing?.now
  const known = step.kind === 'prompt' ? (left ?? trees.now) : (trees.now ?? left)
  const now = known ?? (needsTree(memo, seen, trees) ? await treeOf(session, memo, given) : undefined)
  const agent = recording.agent ?? 'unknown'
  const before = { state: session.state, name: recording.name, memo, isOwn: isOwnOf(session, memo, now) }
  const window: Window = { from: trees.began ?? at, to: at, ...trees }
  const did = step.kind === 'tool' ? didApart({ cwd: seen.cwd, trees, step }, window, before) : undefined
  const apart = trees.entered ? withApart({ apart: leftBehind(before) }, did).apart : did
  const here = { ...before, memo: { ...memo, ...withApart(memo, apart) } }
  const commands = [...(memo.commands ?? []), window]
  const moved = now && tellsWork(memo, seen, { ...trees, now }) ? movedTo(now, { ...here, commands }) : undefined
  return {
    at,
    isFollowed: until !== undefined,
    agent,
    rules,
    reported,
    trees: { ...withRules(trees, memo), ...(now && { now }) },
    run: memo.begun ? {} : placeOf(recording),
    work: endsTurn(memo, seen)
      ? ownWork({
          ...here,
          agent,
          cwd: workFolder(recording),
          at,
          now,
          moved,
          inTranscript: filesReported(memo, reported),
          cut: trees.cut?.map((one) => ended(one, reported)) ?? [],
        })
      : { files: [], commits: [] },
    moved,
    apart,
    ...(trees.home !== undefined && { change: changeDuring(trees, here, at) }),
    leavesProcess: step.kind === 'tool' && !step.refused && leavesProcess(step.command ?? ''),
    price: isPriced ? await loadPrices() : (usage) => usage,
    line: linesBy(memo),
    remarks: ({ command }) =>
      checkRemarks(shellWords(command) ?? [], { cwd: workFolder(recording), env: session.env, memo, now }),
  }
}

/** A resumed session takes other rules, unless its folder had others when it ended than when it began. */
function withRules({ checks, ...trees }: Trees, { ended, base, last }: Memo): Trees {
  if (!checks || !ended || !base || base.root !== last?.root) return { checks, ...trees }
  const changed = changedIn(base, { ...base, tree: last.tree })
  const isOther = !changed || [...changed.keys()].some((path) => basename(path) === 'conduct.json')
  return isOther ? trees : { checks, ...trees }
}

/** What the transcript tells of the turn that is open, because the next one may have begun; else of its last turn. */
function reportedOf(reported: Transcript, { draft }: Memo, { seen, at }: Given): Transcript {
  return aboutTurn(reported, { turn: seen.turn, ...draft, at: draft?.startedAt ?? at }) ?? reported
}

/** Tells the session's commits from those of others. A working tree that was removed had the settings of its repository. */
function isOwnOf({ recording }: SettlingSession, { draft, mail }: Memo, now: Snapshot | undefined): IsOwn {
  const folder = now && isGone(now) ? repositoryBehind(now)?.root : undefined
  const commands = draft?.commands.map(({ command }) => command)
  return isOwnIn(folder ?? workFolder(recording), mail, commands)
}

/**
 * How many milliseconds after a report the files are still those that it is about. After its turn, an agent waits for its
 * user; nobody reports the end of a session whose process is gone.
 */
const freshMs = { turn: 600_000, other: 60_000 }

/** How long after a tool wrote a file another session may report it, in milliseconds. */
const reportMs = 1_000

/**
 * The working tree for a report that came without. Long after it, and for a session whose process is gone once another one
 * has worked there, the files may be those of anybody.
 */
async function treeOf(session: SettlingSession, memo: Memo, { seen, at, trees }: Given): Promise<Snapshot | undefined> {
  const { state, recording, objects } = session
  const isTurn = seen.step.kind === 'turn' && seen.agent !== ''
  const isFresh = Date.now() - at <= freshMs[isTurn ? 'turn' : 'other']
  const now = isFresh ? snapshot(workFolder(recording), objects) : undefined
  const isOthers = now && isLost(memo.closing?.failure) && (await haveOthersWorked(session, now, at))
  if ((now && !isOthers) || !endsTurn(memo, seen)) return now
  const { tool } = state.doing(recording.name) ?? {}
  const isCut = trees.cut?.length || memo.background?.length || (tool !== undefined && isWriter(tool))
  return isCut ? undefined : lastTree(memo)
}

/** Whether another session has written or run a command in the working tree since a time, also if it is only now reported. */
async function haveOthersWorked({ state, recording: { name } }: SettlingSession, { root }: Snapshot, since: number) {
  await sleep(reportMs)
  const hasWritten = state.othersFiles(name, since).some((path) => !isAbsolute(placed(root, root, path)))
  return hasWritten || state.rivals(name, root, since, Date.now()).length > 0
}

/**
 * The working tree as the last command of the session left it; undefined if a tool has written since, or if that command
 * has removed it and it had more than its commit: the command may have committed that.
 */
function lastTree({ base, commands = [], edits = [] }: Memo): Snapshot | undefined {
  const last = commands.findLast((command) => !isElsewhere(base, command))
  const { from, to, before, now } = last ?? { from: 0, to: 0 }
  const isRemoved = before !== undefined && isGone(before)
  const [known, at] = now ? [now, to] : isRemoved ? [before, from] : [undefined, 0]
  if (known && isRemoved && known.tree !== known.commitTree) return undefined
  return edits.every((edit) => edit <= at) ? known : undefined
}

/** What the transcript tells without an end that a command has followed: it only stood beside the use of the tool. */
function unlessCut(reported: Transcript, cut: UnendedCommand[] = []): Transcript {
  const { turn } = reported
  if (!turn || !cut.some(({ began }) => began >= turn.at)) return reported
  const { answer: _, ...rest } = turn
  return { ...reported, turn: { ...rest, isEnded: false }, answer: undefined }
}

/** A command with when it had ended at the latest: its user interrupted it, or the agent said so. */
const ended = (cut: UnendedCommand, { turn }: Transcript): UnendedCommand =>
  turn?.interrupted ? { ...cut, ended: Math.min(turn.at, cut.ended ?? turn.at) } : cut

/** The files that tools wrote, as only the transcript tells. */
const filesReported = ({ draft }: Memo, reported: Transcript): string[] =>
  draft ? unheardIn(draft, reported).flatMap(({ failed, files = [] }) => (failed ? [] : files)) : []

const endsTurn = (memo: Memo, { step }: Seen): boolean =>
  step.kind === 'turn' || (step.kind === 'prompt' && isOpen(memo))

async function withoutSecrets({ answer, failure, ...reported }: Transcript): Promise<Transcript> {
  const { turn } = reported
  const blocked = turn?.blocked && (await Promise.all(turn.blocked.map((report) => mask(report))))
  return {
    ...reported,
    ...(turn && blocked && { turn: { ...turn, blocked } }),
    ...(answer !== undefined && { answer: await mask(answer) }),
    ...(failure && { failure: { ...failure, message: await mask(failure.message) } }),
  }
}

function placeOf({ cwd, session }: Recording): Facts['run'] {
  const author = cut(authorOf(cwd), 200)
  return {
    ...(author && { author }),
    where: { host: hostname(), cwd: cut(cwd, 1_000), ...(session && { session }) },
  }
}

/** Whether the step may send the state of the working tree. */
const tellsWork = (memo: Memo, seen: Seen, trees: Trees): boolean =>
  endsTurn(memo, seen) || (seen.step.kind === 'tool' && isMoved(memo, { trees, step: seen.step }))

/** Reads command lines by the rules under which the session began. */
const linesBy =
  ({ checks }: Memo): Facts['line'] =>
  ({ cwd, trees: { home, ran }, command }, exitCode) =>
    ran ? ranBy(ran, exitCode) : readLine(command, exitCode, ...rulesFor(checks, cwd, home))

const rulesFor = (checks: Memo['checks'], cwd: string, home: string | undefined) =>
  [checks?.rules ?? checkRules(home ?? cwd), { cwd, home: checks?.home ?? home }] as const

/**
 * The trees of a note, with what its command ran if it is `masked` in the step: the mask of a secret may take the `;`
 * behind it, too.
 */
export async function notedTrees({ checks }: Memo, { seen, git }: Note, masked: Step): Promise<Trees> {
  const trees = (git ?? {}) as Trees
  const { cwd = seen.cwd, home } = trees
  const line = lineOf(seen.step)
  if (line === undefined || line === lineOf(masked) || !(checks || home)) return trees
  return { ...trees, ran: await maskDeep(readingOf(line, ...rulesFor(checks, cwd, home))) }
}

const lineOf = (step: Step) => (step.kind === 'begin' || step.kind === 'tool' ? step.command : undefined)
