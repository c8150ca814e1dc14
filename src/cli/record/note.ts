import { randomUUID } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { activityOf, shortOf } from '../../agents/activity.ts'
import type { Seen, Step } from '../../agents/seen.ts'
import { isShell } from '../../agents/tools.ts'
import type { New } from '../../spool/recordings.ts'
import type { State } from '../../spool/state.ts'
import { type Env, folders } from '../place/folders.ts'
import { projectFileOf } from '../place/project.ts'
import { checkRules } from '../place/rules.ts'
import { type Snapshot, snapshot } from '../place/tree.ts'
import { checkNamesOf } from './checked.ts'

/** One thing that was seen of a session, and what records it. */
export interface Heard {
  seen: Seen
  recording: New
  /** When the hook was run, in milliseconds since 1970. */
  at: number
}

/** What a note keeps of the working tree as the hook found it. */
export interface Trees {
  now?: Snapshot
  /** Of a command: the tree before it, and when it began, in milliseconds since 1970. */
  before?: Snapshot
  began?: number
  /** Of a command that may be a check: the folder in which the rules of conduct.json hold. */
  home?: string
}

/** Where git objects of a session's snapshots are stored that the repository does not have. */
export const objectsOf = (env: Env, name = '') => join(folders.state(env), 'objects', name)

/** Notes what was seen, with the working tree where that matters. Returns whether something should be sent now. */
export function noteStep(state: State, heard: Heard, env: Env): boolean {
  const { seen, recording } = heard
  const { step } = seen
  const isNoted = !['start', 'begin', 'wait'].includes(step.kind)
  // A session that has done nothing yet has no recording.
  if (!isNoted && !state.find(recording.name)) return false
  const take = () => snapshotInHook(recording.cwd, objectsOf(env, recording.name))
  if (step.kind === 'begin') beginCommand(state, heard, step, take)
  const isDue = isNoted && keep(state, heard, take)
  const activity = activityOf(step, new Date().toISOString())
  const isBeat = activity !== undefined && state.heard(recording.name, activity)
  return isDue || isBeat
}

/** How long an agent waits for git, in milliseconds. */
const patienceMs = 2_000

/** A working tree that git needs too long for is not looked at again while the agent waits: `conduct sync` does so where it can. */
function snapshotInHook(cwd: string, objects: string): Snapshot | undefined {
  const mark = join(objects, 'slow')
  if (existsSync(mark)) return undefined
  const started = performance.now()
  const taken = snapshot(cwd, objects, patienceMs)
  if (performance.now() - started > patienceMs && existsSync(objects)) writeFileSync(mark, '')
  return taken
}

/** Keeps the note; returns whether it should be sent now. */
function keep(state: State, heard: Heard, take: () => Snapshot | undefined): boolean {
  const { seen, recording } = heard
  const { step } = seen
  // What is told twice (by hooks of the project and of the user, say) is the same.
  const key = seen.id ?? randomUUID()
  switch (step.kind) {
    case 'prompt':
    case 'turn':
      // It is kept before git is asked: an agent that ends may end its hooks.
      if (!state.note(recording, seen, key, false)) return false
      state.complete(recording.name, key, treesAt(state, heard, take))
      return true
    case 'end':
      return state.note(recording, seen, key, true)
    case 'tool': {
      const trees =
        step.command !== undefined && !step.refused
          ? commandTrees(state, heard, { id: step.id, command: step.command }, take)
          : undefined
      const due = trees?.isCheck === true
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

/** The tree at a prompt is where the run begins, so it is taken for the first alone; that of a turn, at its end. */
function treesAt(state: State, { seen, recording }: Heard, take: () => Snapshot | undefined): Trees | undefined {
  const { begun } = (state.find(recording.name)?.memo ?? {}) as { begun?: boolean }
  return seen.step.kind === 'prompt' && begun ? undefined : { now: take() }
}

function beginCommand(
  state: State,
  { recording }: Heard,
  { tool, target, id }: Step & { kind: 'begin' },
  take: () => Snapshot | undefined,
) {
  const tree = isShell(tool) && target !== undefined ? take() : undefined
  if (tree && target !== undefined) state.begin(recording.name, tree.root, id ?? shortOf(target), tree)
}

interface Command {
  /** The agent's own id of this use of the tool. */
  id: string | undefined
  command: string
}

/** The trees before and after a command, whether it may be a check, and how long it took by its hooks. */
function commandTrees(
  state: State,
  { seen, recording, at }: Heard,
  { id, command }: Command,
  take: () => Snapshot | undefined,
) {
  const now = take()
  const { name } = recording
  // After a wait for a person, or beside another tool, nobody knows how long it took itself.
  const isAlone = seen.tellsWaits && isDoing(state, name, command)
  const begun = (id !== undefined && state.finish(name, id)) || state.finish(name, shortOf(command))
  const { began, git: before } = begun ?? {}
  const home = homeOf(seen.cwd, now)
  // Its exit code may only be known later, by the transcript.
  const isCheck = checkNamesOf(command, 0, rulesOf(seen.cwd), { cwd: seen.cwd, home }).length > 0
  const git: Trees = { now, before: before as Snapshot | undefined, began, ...(isCheck && { home }) }
  return { git, isCheck, ...(isAlone && began !== undefined && { durationMs: Math.max(0, at - began) }) }
}

const isDoing = (state: State, name: string, command: string) => {
  const activity = state.doing(name)
  return activity?.state === 'working' && activity.target === shortOf(command)
}

/** What was seen, with the time between the hooks where the document has none. */
const timed = (seen: Seen, step: Step & { kind: 'tool' }, durationMs: number | undefined): Seen =>
  durationMs === undefined ? seen : { ...seen, step: { durationMs, ...step } }

/** The folder in which the rules of conduct.json hold: its own or, in a linked working tree that has none, the top. */
function homeOf(cwd: string, tree: Snapshot | undefined): string | undefined {
  const file = projectFileOf(cwd)
  const folder = file && dirname(file)
  const isAbove = folder !== undefined && !relative(folder, cwd).startsWith('..')
  return isAbove ? folder : tree?.root
}

/** A conduct.json that cannot be read has no rules; what sends the turn says so. */
function rulesOf(cwd: string) {
  try {
    return checkRules(cwd)
  } catch {
    return []
  }
}
