import { existsSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { launchers, programs, runners } from '../../nouns/run/verdict/command-list.ts'
import { type Env, folders } from '../../place/folders.ts'
import { snapshot } from '../../place/git/tree.ts'
import { projectFileOf } from '../../place/project.ts'
import { recordRules, sessionRules } from '../../place/rules.ts'
import type { Seen, Step, ToolUse } from '../../recorder/agents/seen.ts'
import { activityOf, isShell, shortOf } from '../../recorder/agents/tools.ts'
import type { Before, CheckRule, Memo, SessionRules, ToldWork, Trees } from '../../recorder/memo.ts'
import { mayMove, type Snapshot } from '../../recorder/work.ts'
import { pathIn } from '../../system/paths.ts'
import type { Begun } from '../spool/acts.ts'
import type { New } from '../spool/recordings.ts'
import type { State } from '../spool/state.ts'

/** A report about a session, and its recording. */
export interface Heard {
  seen: Seen
  recording: New
  /** When the hook ran, in milliseconds since 1970. */
  at: number
  /** The deadline for all calls of git in this hook, in the time of `performance.now()`. */
  until: number
  /** Identifies the report in its document. */
  digest: string
}

/** Where to store git objects of a session's snapshots that the repository does not have. */
export const objectsOf = (env: Env, name = '') => join(folders.state(env), 'objects', name)

/** Stores a report, with the working tree if needed. Returns whether to send something now. */
export function noteStep(state: State, heard: Heard, env: Env): boolean {
  const { seen, recording } = heard
  const { step } = seen
  const isNoted = !['start', 'begin', 'wait', 'resume'].includes(step.kind)
  // A session that has done nothing has no recording.
  if (!isNoted && !state.find(recording.name)) return false
  const take = () => snapshotInHook(recording.cwd, objectsOf(env, recording.name), heard.until)
  if (step.kind === 'begin') beginCommand(state, heard, step, take)
  const isDue = isNoted && keep(state, heard, env, take)
  const before = step.kind === 'wait' ? state.doing(recording.name) : undefined
  const activity = activityOf(step, new Date().toISOString(), before)
  const isBeat = activity !== undefined && state.heard(recording.name, activity, seen.cwd)
  return isDue || isBeat
}

/** How long hooks leave git alone once it took too long, in milliseconds. */
const restMs = 60_000

/** If git takes too long for a working tree, hooks do not try it again for a while. `conduct sync` does, if it can. */
function snapshotInHook(cwd: string, objects: string, until: number): Snapshot | undefined {
  const mark = join(objects, 'slow')
  if (Date.now() - (statSync(mark, { throwIfNoEntry: false })?.mtimeMs ?? 0) < restMs) return undefined
  const taken = snapshot(cwd, objects, until - performance.now())
  if (performance.now() > until && existsSync(objects)) writeFileSync(mark, '')
  return taken
}

/** Stores the note. Returns whether to send it now. */
function keep(state: State, heard: Heard, env: Env, take: () => Snapshot | undefined): boolean {
  const { seen, recording } = heard
  const { step } = seen
  // The same report may come twice, for instance from hooks of the project and of the user.
  const key = seen.id ?? { kind: step.kind, digest: heard.digest }
  switch (step.kind) {
    case 'prompt':
    case 'turn': {
      const rules = readable(() => recordRules(recording.cwd))
      const known: Trees = {
        rules,
        ...(step.kind === 'prompt' && { mail: env.GIT_COMMITTER_EMAIL }),
        ...(step.kind === 'prompt' && state.isLeft(recording.name) && { isLeft: true }),
      }
      // Stored before calling git, because an agent that exits may kill its hooks.
      const noted = state.note(recording, seen, key, false, known)
      if (noted === undefined) return false
      endCommands(state, heard)
      const trees = treesAt(state, heard, take)
      const checks = step.kind === 'prompt' ? rulesAt(recording.cwd, trees?.now) : undefined
      state.complete(recording.name, noted, { ...trees, ...known, ...(checks && { checks }) })
      return true
    }
    case 'end':
      endCommands(state, heard)
      return state.note(recording, seen, key, true) !== undefined
    case 'tool': {
      // Another command of the same text may have begun since.
      if (state.isNoted(recording.name, key)) return false
      const begun = isShell(step.tool) ? begunOf(state, recording.name, step) : undefined
      const trees =
        step.command !== undefined && !step.refused
          ? commandTrees(state, heard, { ...step, command: step.command, begun }, take)
          : undefined
      const due = !step.refused && mayMove({ trees: trees?.git ?? {}, step }, toldBy(state, recording.name))
      if (!state.note(recording, timed(seen, step, trees?.durationMs), key, due, trees?.git)) return false
      state.wrote(
        recording.name,
        (step.files ?? []).map((file) => resolve(seen.cwd, file)),
      )
      return due
    }
    default:
      state.note(recording, seen, key, false)
      return false
  }
}

const memoIn = (state: State, name: string) => (state.find(name)?.memo ?? {}) as Memo

/** What the run says, or will say once a check that was noted is sent. */
function toldBy(state: State, name: string): Partial<ToldWork> {
  const { told } = memoIn(state, name)
  return { ...told, ...(state.noted().includes(name) && { isChecked: true }) }
}

/** A prompt needs the tree only if it is the first one, where the run starts; a turn needs the tree at its end. */
function treesAt(state: State, { seen, recording }: Heard, take: () => Snapshot | undefined): Trees | undefined {
  const { begun } = memoIn(state, recording.name)
  return seen.step.kind === 'prompt' && begun ? undefined : { now: take() }
}

function beginCommand(
  state: State,
  { seen, recording, at, digest }: Heard,
  { tool, target, id, command }: Step & { kind: 'begin' },
  take: () => Snapshot | undefined,
) {
  const tree = isShell(tool) && target !== undefined ? take() : undefined
  const before = tree && ({ ...tree, cwd: seen.cwd } satisfies Before)
  if (tree && before && target !== undefined) state.begin(recording.name, tree.root, id ?? shortOf(target), before)
  if (command === undefined) return
  const home = homeOfCheck(rulesOf(state, recording, tree), command)
  const git: Trees = { now: tree, before, began: at, ...(home !== undefined && { cwd: seen.cwd, home }) }
  state.note(recording, seen, seen.id ?? { kind: 'begin', digest }, false, git)
}

/** The rules of a session, or those that it will have. */
const rulesOf = (state: State, { name, cwd }: New, tree: Snapshot | undefined) =>
  memoIn(state, name).checks ?? rulesAt(cwd, tree)

/** Ends a command, also one that did not run. Returns its start, if it was recorded. */
const begunOf = (state: State, name: string, { id, command }: ToolUse): Begun | undefined =>
  (id !== undefined ? state.finish(name, id, true) : undefined) ??
  (command !== undefined ? state.finish(name, shortOf(command), false) : undefined)

/** What the session still does in the background goes on after its turn. */
function endCommands(state: State, { seen: { step }, recording }: Heard) {
  if (step.kind !== 'turn' || !step.goesOn) state.endCommands(recording.name)
}

interface Command extends Pick<ToolUse, 'folder'> {
  command: string
  begun: Begun | undefined
}

/** The trees before and after a command, and its duration according to its hooks. */
export function commandTrees(
  state: State,
  { seen, recording, at }: Pick<Heard, 'seen' | 'recording' | 'at'>,
  { command, folder = '', begun }: Command,
  take: () => Snapshot | undefined,
) {
  const now = take()
  const { name } = recording
  // After waiting for a person, or beside another tool, its own duration is unknown.
  const isAlone = seen.tellsWaits && isDoing(state, name, command)
  const began = begun?.began
  const before = begun?.git as Before | undefined
  // The document after a command may name the folder to which the command went.
  const cwd = resolve(before?.cwd ?? seen.cwd, folder)
  // The transcript may reveal its exit code later.
  const home = homeOfCheck(rulesOf(state, recording, now), command)
  const git: Trees = { now, before, began, ...(home !== undefined && { cwd, home }) }
  return { git, ...(isAlone && began !== undefined && { durationMs: Math.max(0, at - began) }) }
}

const isDoing = (state: State, name: string, command: string) => {
  const activity = state.doing(name)
  return activity?.state === 'working' && activity.target === shortOf(command)
}

/** The report, with the time between the hooks if the document has none. */
const timed = (seen: Seen, step: Step & { kind: 'tool' }, durationMs: number | undefined): Seen =>
  durationMs === undefined ? seen : { ...seen, step: { durationMs, ...step } }

/** The folder whose conduct.json applies: the current one or, in a linked worktree without one, the top. */
function homeOf(cwd: string, tree: Snapshot | undefined): string | undefined {
  const file = projectFileOf(cwd)
  const folder = file && dirname(file)
  return folder !== undefined && pathIn(folder, cwd) !== undefined ? folder : tree?.root
}

const homeOfCheck = (checks: SessionRules | undefined, command: string): string | undefined =>
  checks && mayCheck(command, checks.rules) ? checks.home : undefined

/** The rules of a session that begins in that folder; none if they are unreadable, undefined if no conduct.json applies. */
function rulesAt(cwd: string, tree: Snapshot | undefined): SessionRules | undefined {
  const home = homeOf(cwd, tree)
  if (home === undefined) return undefined
  return readable(() => sessionRules(cwd, home)) ?? { home, rules: [], required: [] }
}

/** The rules of conduct.json; undefined if it is unreadable, which `conduct doctor` reports. */
function readable<T>(rules: () => T): T | undefined {
  try {
    return rules()
  } catch {
    return undefined
  }
}

/**
 * Whether a line may run a rule's command. True for each line in which `readLine` finds a check, but cheap enough for a
 * hook: it loads neither the parser nor the lists of options.
 */
export function mayCheck(line: string, rules: CheckRule[]): boolean {
  const text = unquoted(line)
  return rules.some(({ commands }) => commands.some((command) => namesOf(command).some((name) => text.includes(name))))
}

/** Words of which each line that runs the same command has one. */
function namesOf(command: string): string[] {
  const words = unquoted(command)
    .split(/\s+/)
    .filter((word) => word !== '' && !/^(?:-|\w+=|\d)/.test(word))
  const isSimple = !/["'\\$`|&;<>()]|\s-[ks]\b|--signal|--kill-after/.test(command)
  const [first = '', ...others] = isSimple ? words.filter((word) => !starts.has(word)) : words
  const startsProgram = Object.hasOwn(runners, first) && ['exec', 'x'].includes(words[words.indexOf(first) + 1] ?? '')
  return [first, ...(isSimple && !startsProgram ? [] : others)].flatMap(otherNames)
}

/** The words of launchers. A runner's name is that of the program in `npm test`. */
const starts = new Set(
  launchers.flatMap(({ begins }) => begins.split(' ')).filter((word) => !Object.hasOwn(runners, word)),
)

function otherNames(word: string): string[] {
  const name = programs[word] ?? word.slice(word.lastIndexOf('/') + 1)
  return [name, ...Object.keys(programs).filter((other) => programs[other] === name)]
}

/** The text as the shell joins it: quotes may stand within a word. */
const unquoted = (text: string) => text.replace(/\\\n|['"\\]/g, '')
