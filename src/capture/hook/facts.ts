import { hostname } from 'node:os'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { mask, maskDeep } from '../../mask/mask.ts'
import { shellWords } from '../../nouns/run/verdict/shell-words.ts'
import type { Env } from '../../place/folders.ts'
import { authorOf } from '../../place/git/guarded.ts'
import { type IsOwn, isOwnIn } from '../../place/git/history.ts'
import { isGone, repositoryBehind, snapshot } from '../../place/git/tree.ts'
import { checkRules } from '../../place/rules.ts'
import type { Seen, Step, Told } from '../../recorder/agents/seen.ts'
import { aboutTurn } from '../../recorder/agents/told-turn.ts'
import { cut, unheardIn } from '../../recorder/agents/turn.ts'
import { loadPrices } from '../../recorder/agents/usage.ts'
import type { Facts } from '../../recorder/facts.ts'
import type { Memo, RecordRules, Trees } from '../../recorder/memo.ts'
import { isOpen, needsTranscript, needsTree } from '../../recorder/step.ts'
import { isElsewhere, isMoved, type Snapshot } from '../../recorder/work.ts'
import { ranBy, readingOf, readLine } from '../command/checked.ts'
import type { Note } from '../spool/notes.ts'
import type { Recording } from '../spool/recordings.ts'
import type { State } from '../spool/state.ts'
import { changedIn } from '../work/changed.ts'
import { changeDuring, checkRemarks, movedTo } from '../work/moved.ts'
import { ownWork } from '../work/own-work.ts'

/** A session whose notes are being settled. */
export interface Session {
  state: State
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
  transcript(until?: number): Promise<Told>
}

/** A report, its texts masked. */
export interface Given {
  seen: Seen
  at: number
  trees: Trees
  /** When the next prompt came, if one did: what the transcript says later is not about this report. */
  until?: number | undefined
}

/** What this machine knows that the step needs. */
export async function factsOf(session: Session, memo: Memo, given: Given): Promise<Facts> {
  const { recording, rules } = session
  const { seen, at, until, trees } = given
  const { step } = seen
  const told = needsTranscript(memo, seen, trees)
    ? await withoutSecrets(toldOf(await session.transcript(step.kind === 'prompt' ? at : until), memo, given))
    : {}
  const isPriced = told.usage !== undefined || (step.kind === 'turn' && step.usage !== undefined)
  const taken = trees.now ?? (needsTree(memo, seen, trees) ? snapshot(recording.cwd, session.objects) : undefined)
  const now = taken ?? (endsTurn(memo, seen) ? removedTree(memo) : undefined)
  const agent = recording.agent ?? 'unknown'
  const here = { state: session.state, name: recording.name, memo, isOwn: isOwnOf(session, memo, now) }
  const commands = [...(memo.commands ?? []), { from: trees.began ?? at, to: at, ...trees }]
  const moved = now && tellsWork(memo, seen, { ...trees, now }) ? movedTo(now, { ...here, commands }) : undefined
  return {
    at,
    isFollowed: until !== undefined,
    agent,
    rules,
    told,
    trees: { ...withRules(trees, memo), ...(now && { now }) },
    run: memo.begun ? {} : placeOf({ ...recording, cwd: seen.cwd }),
    work: endsTurn(memo, seen)
      ? ownWork({ ...here, agent, cwd: recording.cwd, at, now, moved, told: filesTold(memo, told) })
      : { files: [], commits: [] },
    moved,
    ...(trees.home !== undefined && { change: changeDuring(trees, here, at) }),
    price: isPriced ? await loadPrices() : (usage) => usage,
    line: linesBy(memo),
    remarks: ({ command }) =>
      checkRemarks(shellWords(command) ?? [], { cwd: recording.cwd, env: session.env, memo, now }),
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
function toldOf(told: Told, { draft }: Memo, { seen, at }: Given): Told {
  return aboutTurn(told, { turn: seen.turn, ...draft, at: draft?.startedAt ?? at }) ?? told
}

/** Tells the session's commits from those of others. A working tree that was removed had the settings of its repository. */
function isOwnOf({ recording }: Session, { draft, mail }: Memo, now: Snapshot | undefined): IsOwn {
  const folder = now && isGone(now) ? repositoryBehind(now)?.root : undefined
  const commands = draft?.commands.map(({ command }) => command)
  return isOwnIn(folder ?? recording.cwd, mail, commands)
}

/**
 * The last known state of a working tree that was removed; undefined if there was more to commit, or a tool wrote to it
 * since: the command that removed it may have committed that.
 */
function removedTree({ base, commands = [], edits = [] }: Memo): Snapshot | undefined {
  const last = commands.findLast((command) => !isElsewhere(base, command))
  const { from, to, before, now } = last ?? { from: 0, to: 0 }
  const [known, at] = now ? [now, to] : [before, from]
  const isCommitted = known && known.tree === known.commitTree && edits.every((edit) => edit <= at)
  return isCommitted && isGone(known) ? known : undefined
}

/** The files that tools wrote, as only the transcript tells. */
const filesTold = ({ draft }: Memo, told: Told): string[] =>
  draft ? unheardIn(draft, told).flatMap(({ failed, files = [] }) => (failed ? [] : files)) : []

const endsTurn = (memo: Memo, { step }: Seen): boolean =>
  step.kind === 'turn' || (step.kind === 'prompt' && isOpen(memo))

async function withoutSecrets({ answer, failure, ...told }: Told): Promise<Told> {
  const { turn } = told
  const blocked = turn?.blocked && (await Promise.all(turn.blocked.map((report) => mask(report))))
  return {
    ...told,
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

/** An end of a turn that hooks reported and that the transcript must contain, too. */
export interface Awaited {
  /** When the turn was prompted, in milliseconds since 1970. Earlier entries belong to another turn. */
  since: number
  /** The latest time to wait for it. */
  until: number
}

/** How far an agent's transcript may lag behind its hooks, in milliseconds, and the first pause between two reads. */
const [behindMs, pauseMs] = [3_000, 50]

/** The end that the last of these notes report; undefined if they report none, or if no process is left to write it. */
export function awaitedOf(notes: Note[], { draft }: Memo): Awaited | undefined {
  const prompt = notes.findLast(({ seen: { step } }) => step.kind === 'prompt')
  const end = notes.findLast(({ seen: { step } }) => step.kind === 'turn' || (step.kind === 'end' && !step.isGone))
  if (!end || (prompt && prompt.id > end.id)) return undefined
  const since = prompt?.at ?? (draft?.prompt === undefined ? 0 : draft.startedAt)
  return { since, until: end.at + behindMs }
}

/** Commands whose exit codes hooks did not report, and that may be checks, by their ids. */
export interface AwaitedCommands {
  ids: string[]
  /** The latest time to wait for them. */
  until: number
}

/** The commands that the last of these notes report, if only the transcript tells their exit codes. */
export function awaitedCommands(notes: Note[]): AwaitedCommands | undefined {
  const last = notes.filter(({ seen: { step }, git }) => {
    const isCheck = (git as Trees | null)?.home !== undefined
    return isCheck && step.kind === 'tool' && step.exitCode === undefined && !step.goesOn && !step.refused
  })
  const ids = last.flatMap(({ seen: { step } }) => (step.kind === 'tool' && step.id !== undefined ? [step.id] : []))
  return ids.length > 0 ? { ids, until: Math.max(...last.map(({ at }) => at)) + behindMs } : undefined
}

/** The content of the transcript once it has the exit codes of these commands, or as it is when it is too late. */
export async function toldWithCommands({ ids, until }: AwaitedCommands, read: () => Promise<Told>): Promise<Told> {
  for (let ms = pauseMs; ; ms *= 2) {
    const told = await read()
    const leftMs = until - Date.now()
    if (leftMs <= 0 || !told.turns || ids.every((id) => told.commands?.[id])) return told
    await sleep(Math.min(ms, leftMs))
  }
}

/**
 * The content of the transcript once it has the awaited end; otherwise without how the last turn ended, which would
 * belong to another turn.
 */
export async function toldWith({ since, until }: Awaited, read: () => Promise<Told>): Promise<Told> {
  for (let ms = pauseMs; ; ms *= 2) {
    const told = await read()
    const { isWhole = true, at = since } = told.written ?? {}
    if (isWhole && at >= since) return told
    const leftMs = until - Date.now()
    if (leftMs > 0) {
      await sleep(Math.min(ms, leftMs))
      continue
    }
    const { answer: _, ...known } = told
    if (at >= since) return known
    const { failure: __, interrupted: ___, ...others } = known
    return others
  }
}
