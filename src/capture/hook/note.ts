import { existsSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isUnknown } from '../../nouns/run/verdict/tool-kinds.ts'
import type { ActivityInput } from '../../nouns/run/work-fields.ts'
import { type Env, folders } from '../../place/folders.ts'
import { topOf } from '../../place/git/repository.ts'
import { otherTreeAt, snapshot } from '../../place/git/tree.ts'
import { mayCheck, readable, rulesAt, sessionRecordRules } from '../../place/rules.ts'
import type { Seen, Step, ToolUse } from '../../recorder/agents/seen.ts'
import { activityOf, isMove, isShell, isWriter, shortOf } from '../../recorder/agents/tools.ts'
import type { ReportedWork } from '../../recorder/memo.ts'
import type { Before, SessionRules, Trees } from '../../recorder/trees.ts'
import { mayMove, type Snapshot } from '../../recorder/work.ts'
import { behindLinks } from '../../system/paths.ts'
import type { RunningCommand } from '../spool/acts.ts'
import type { NoteKey } from '../spool/notes.ts'
import { type NewRecording, workFolder } from '../spool/recordings.ts'
import type { Spool } from '../spool/state.ts'
import { enter, folderOf, isLost, memoIn, type TreeReader } from './entered.ts'

/** A report, and what the session did before. */
interface Heard extends ReceivedReport {
  was?: ActivityInput | undefined
}

/** A report about a session, and its recording. */
export interface ReceivedReport {
  seen: Seen
  recording: NewRecording
  /** When the hook ran, in milliseconds since 1970. */
  at: number
  /** How long git may still take in this hook, in milliseconds, counted from the first question. */
  leftForGit: () => number
  /** Identifies the report in its document. */
  digest: string
}

/** Where to store git objects of a session's snapshots that the repository does not have. */
export const objectsOf = (env: Env, name = '') => join(folders.state(env), 'objects', name)

/** Stores a report, with the working tree if needed. Returns whether to send something now. */
export function noteStep(state: Spool, report: ReceivedReport, env: Env): boolean {
  const { seen, recording, at } = report
  const { step } = seen
  const isNoted = !['start', 'begin', 'wait', 'resume'].includes(step.kind)
  // A session that has done nothing has no recording.
  if (!isNoted && !state.find(recording.name)) return false
  // Another document of a beginning, which may come while the command runs, or after it.
  if (step.kind === 'begin' && step.id !== undefined && state.begun(recording.name, step.id)) return false
  const was = state.doing(recording.name)
  const activity = activityOf(step, new Date(at).toISOString(), step.kind === 'wait' ? was : undefined)
  const hear = () => activity !== undefined && state.heard(recording.name, activity, seen.cwd)
  // Before git, which takes its time: people should not hear of a wait that is over.
  const isEarly = was?.state === 'waiting' && hear()
  const heard = { ...report, was }
  const objects = objectsOf(env, recording.name)
  const own = workFolder(recording)
  const take = (cwd = own) => snapshotInHook(cwd, objects, heard.leftForGit)
  const otherTree = (cwd: string) => (cwd === own ? undefined : otherTreeAt(cwd, { root: own, objects }))
  if (step.kind === 'begin')
    beginCommand(state, heard, step, () => take(otherTree(folderOf(seen.cwd, step, step.target))))
  const isDue = isNoted && keep(state, heard, env, { take, otherTree })
  const isBeat = was?.state !== 'waiting' && hear()
  return isDue || isEarly || isBeat
}

/** How long hooks leave git alone once it took too long, in milliseconds. */
const restMs = 60_000

/** If git takes too long for a working tree, hooks do not try it again for a while. `conduct sync` does, if it can. */
function snapshotInHook(cwd: string, objects: string, left: () => number): Snapshot | undefined {
  const mark = join(objects, 'slow')
  if (Math.abs(Date.now() - (statSync(mark, { throwIfNoEntry: false })?.mtimeMs ?? 0)) < restMs) return undefined
  const taken = snapshot(cwd, objects, left())
  if (!taken && left() <= 0 && existsSync(objects)) writeFileSync(mark, '')
  return taken
}

/** Stores the note. Returns whether to send it now. */
function keep(state: Spool, heard: Heard, env: Env, look: TreeReader): boolean {
  const { seen, recording } = heard
  const { step } = seen
  // The same report may come twice, for instance from hooks of the project and of the user.
  const key = seen.id ?? { kind: step.kind, digest: heard.digest }
  switch (step.kind) {
    case 'prompt':
    case 'turn':
      return keepTurn(state, heard, { key, look, mail: env.GIT_COMMITTER_EMAIL })
    case 'end': {
      const cut = cutBy(state, heard)
      const noted = state.note(recording, seen, key, true, cut)
      endCommands(state, heard)
      // What its user does from now on is not of the turn that is open.
      if (noted !== undefined && isWorking(heard))
        state.complete(recording.name, noted, { ...cut, now: look.take(workFolder(recording)) })
      return noted !== undefined
    }
    case 'tool':
      return keepTool(state, heard, { key, look, step })
    default:
      state.note(recording, seen, key, false)
      return false
  }
}

/** Stores a prompt or the end of a turn. */
function keepTurn(
  state: Spool,
  heard: Heard,
  { key, look, mail }: { key: NoteKey; look: TreeReader; mail: string | undefined },
): boolean {
  const { seen, recording } = heard
  const isPrompt = seen.step.kind === 'prompt'
  const entered = isPrompt && isLost(heard) ? enter(state, heard, look) : undefined
  const now = { ...recording, ...(entered && { tree: entered.entered.root }) }
  const known: Trees = {
    rules: readable(() => sessionRecordRules(recording)),
    ...(isPrompt && { mail }),
    ...(isPrompt && state.isLeft(recording.name) && { isLeft: true }),
    ...cutBy(state, heard),
    ...entered,
  }
  // Stored before calling git, because an agent that exits may kill its hooks.
  const noted = state.note(now, seen, key, false, known)
  if (noted === undefined) return false
  endCommands(state, heard)
  const trees = treesAt(state, heard, () => look.take(workFolder(now)))
  // A session may begin before its hooks.
  const isStart = isPrompt || !memoIn(state, recording.name).checks
  const checks = isStart ? rulesAt(workFolder(now), trees?.now) : undefined
  state.complete(recording.name, noted, { ...trees, ...known, ...(checks && { checks }) })
  return true
}

/** Stores the use of a tool. Returns whether to send it now. */
function keepTool(
  state: Spool,
  heard: Heard,
  { key, look, step: told }: { key: NoteKey; look: TreeReader; step: Step & { kind: 'tool' } },
): boolean {
  const { seen, recording } = heard
  const { name } = recording
  const step = withoutLinks(heard, told)
  if (isWriter(step.tool)) state.finishTool(name, step.id)
  // Another command of the same text may have begun since.
  if (state.isNoted(name, key)) return false
  const begun = isShell(step.tool) ? begunOf(state, name, step) : undefined
  const before = begun?.git as Before | undefined
  const take = () => look.take(before ? before.root : look.otherTree(folderOf(seen.cwd, step, step.command)))
  const trees =
    step.command !== undefined && !step.refused
      ? commandTrees(state, heard, { ...step, command: step.command, begun }, take)
      : undefined
  const due = !step.refused && mayMove({ trees: trees?.git ?? {}, step }, reportedBy(state, name))
  const entered = isMove(step.tool) || isLost(heard) ? enter(state, heard, look) : undefined
  const now = { ...recording, ...(entered && { tree: entered.entered.root }) }
  const git = entered ? { ...trees?.git, ...entered } : trees?.git
  if (!state.note(now, timed(seen, step, trees?.durationMs), key, due, git)) return false
  state.wrote(
    name,
    (step.files ?? []).map((file) => resolve(seen.cwd, file)),
  )
  return due
}

/** The use of a tool with the files behind links. Outside git, diffs are those of a transcript, by its own paths. */
function withoutLinks<Use extends ToolUse>({ seen, recording }: ReceivedReport, step: Use): Use {
  if (!step.files?.length || topOf(workFolder(recording)) === undefined) return step
  return { ...step, files: step.files.map((file) => behindLinks(seen.cwd, file)) }
}

/** What the run says, or will say once a check that was noted is sent. */
function reportedBy(state: Spool, name: string): Partial<ReportedWork> {
  const { told, isChecked } = memoIn(state, name)
  return { ...told, ...((isChecked || state.noted().includes(name)) && { isChecked: true }) }
}

/** A turn needs the tree at its end; a prompt only if the run starts there, or the turn before has no end of its own. */
function treesAt(state: Spool, heard: Heard, take: () => Snapshot | undefined): Trees | undefined {
  const { begun } = memoIn(state, heard.recording.name)
  return heard.seen.step.kind === 'prompt' && begun && !isWorking(heard) ? undefined : { now: take() }
}

/** Whether a turn was open before this report. */
const isWorking = ({ was }: Heard) => ['working', 'waiting'].includes(was?.state ?? '')

function beginCommand(
  state: Spool,
  { seen, recording, at, digest }: ReceivedReport,
  { tool, target, id, command }: Step & { kind: 'begin' },
  take: () => Snapshot | undefined,
) {
  if (id !== undefined && isWriter(tool) && !isMove(tool)) state.beginTool(recording.name, id, at, !isUnknown(tool))
  const tree = isShell(tool) && target !== undefined ? take() : undefined
  const before = tree && ({ ...tree, cwd: seen.cwd } satisfies Before)
  if (tree && before && target !== undefined) state.begin(recording.name, tree.root, id ?? shortOf(target), before, at)
  if (command === undefined) return
  const home = homeOfCheck(rulesOf(state, recording, tree), command)
  const git: Trees = { now: tree, before, began: at, ...(home !== undefined && { cwd: seen.cwd, home }) }
  state.note(recording, seen, seen.id ?? { kind: 'begin', digest }, false, git)
}

/** The rules of a session, or those that it will have. */
const rulesOf = (state: Spool, recording: NewRecording, tree: Snapshot | undefined) =>
  memoIn(state, recording.name).checks ?? rulesAt(workFolder(recording), tree)

/** Ends a command, also one that did not run. Returns its start, if it was recorded. */
const begunOf = (state: Spool, name: string, { id, command }: ToolUse): RunningCommand | undefined =>
  (id !== undefined ? state.finish(name, id, true) : undefined) ??
  (command !== undefined ? state.finish(name, shortOf(command), false) : undefined)

/**
 * The command that was running when a turn was interrupted, or ended without a message. Other commands without an end
 * did not run, because somebody refused them or the agent still waited for a person.
 */
function cutBy(state: Spool, { seen: { step }, recording: { name }, at, was }: Heard): Pick<Trees, 'cut'> | undefined {
  const last = state.unended(name).at(-1)
  if (!last || was?.state !== 'working' || (step.kind === 'turn' && !step.interrupted)) return undefined
  const isLast = Math.abs(Date.parse(was.since ?? '') - last.began) < begunMs
  const ended = step.kind === 'prompt' ? {} : { ended: at }
  return isLast ? { cut: [{ began: last.began, before: last.git as Before, ...ended }] } : undefined
}

/** How long after each other two hooks of one beginning come at most, in milliseconds. */
const begunMs = 2_000

/** What the session still does in the background goes on after its turn. */
function endCommands(state: Spool, { seen: { step }, recording }: ReceivedReport) {
  if (step.kind !== 'turn' || !step.goesOn) state.endCommands(recording.name)
}

interface Command extends Pick<ToolUse, 'folder'> {
  command: string
  begun: RunningCommand | undefined
}

/** The trees before and after a command, and its duration according to its hooks. */
export function commandTrees(
  state: Spool,
  { seen, recording, at, was }: Pick<Heard, 'seen' | 'recording' | 'at' | 'was'>,
  { command, folder = '', begun }: Command,
  take: () => Snapshot | undefined,
) {
  const now = take()
  // After waiting for a person, or beside another tool, its own duration is unknown.
  const isAlone = seen.tellsWaits && isDoing(was, command)
  const began = begun?.began
  const before = begun?.git as Before | undefined
  // The document after a command may name the folder to which the command went.
  const cwd = resolve(before?.cwd ?? seen.cwd, folder)
  // The transcript may reveal its exit code later.
  const home = homeOfCheck(rulesOf(state, recording, now), command)
  const git: Trees = { now, before, began, ...(home !== undefined && { cwd, home }) }
  return { git, ...(isAlone && began !== undefined && { durationMs: Math.max(0, at - began) }) }
}

const isDoing = (activity: ActivityInput | undefined, command: string) =>
  activity?.state === 'working' && activity.target === shortOf(command)

/** The report, with the time between the hooks if the document has none. */
const timed = (seen: Seen, step: Step & { kind: 'tool' }, durationMs: number | undefined): Seen => ({
  ...seen,
  step: durationMs === undefined ? step : { durationMs, ...step },
})

const homeOfCheck = (checks: SessionRules | undefined, command: string): string | undefined =>
  checks && mayCheck(command, checks.rules) ? checks.home : undefined
