import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { withoutSecrets } from '../../agents/secrets.ts'
import type { Step, Told, TurnEnd } from '../../agents/seen.ts'
import { readTranscript } from '../../agents/transcript.ts'
import { isEmpty, isQueued, newDraft, promptedDraft, withStep } from '../../agents/turn.ts'
import { mask } from '../../mask/mask.ts'
import type { Call } from '../../spool/calls.ts'
import type { Note } from '../../spool/notes.ts'
import type { Recording } from '../../spool/recordings.ts'
import type { State } from '../../spool/state.ts'
import type { Env } from '../place/folders.ts'
import { type RecordRules, recordRules, stricter } from '../place/rules.ts'
import { snapshot } from '../place/tree.ts'
import { checksOf } from './check-calls.ts'
import { gone, leftOpen } from './left-open.ts'
import { withWork } from './live-work.ts'
import { isOfEarlier, type Memo, memoOf, stepOf } from './memo.ts'
import { objectsOf, type Trees } from './note.ts'
import { begun, ended, turned, usedBefore } from './run-calls.ts'
import { type Awaited, awaitedOf, toldWith } from './told.ts'

/** The data for the calls of a session. */
export interface Session {
  state: State
  recording: Recording
  /** The name of its agent in the ledger. */
  agent: string
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

/** The result of settling notes. */
export interface Settled {
  calls: Call[]
  memo: Memo
  ended: boolean
}

/** Turns all notes of hooks into calls to send. Reports what cannot be read now, and keeps it. */
export async function settleNotes(state: State, env: Env, say: (line: string) => void): Promise<void> {
  state.endLost()
  await settleAll(state, env, say)
  const deserted = state.deserted()
  if (deserted.length === 0) return
  // The hook of the last turn's end may still come.
  await sleep(overtakenMs)
  for (const session of deserted) state.endDeserted(session)
  await settleAll(state, env, say)
}

async function settleAll(state: State, env: Env, say: (line: string) => void) {
  for (const name of state.noted()) {
    await settle(state, name, env).catch((error: Error) => {
      state.update(name, { trouble: error.message })
      say(`${name}: ${error.message}`)
    })
  }
}

/** Turns the notes of a session into calls. If another process settles some of them first, reads them again. */
async function settle(state: State, name: string, env: Env) {
  for (let isSettled = false; !isSettled; ) {
    const recording = state.find(name)
    const notes = inOrder(state.notes(name))
    const [first] = notes
    if (!recording || !first) return
    const lateMs = stopMayFollow(notes, memoOf(recording.memo, first.at)) - Date.now()
    if (lateMs > 0) {
      await sleep(lateMs)
      continue
    }
    const known = memoSeen(memoOf(recording.memo, first.at), notes)
    const session = sessionOf(state, recording, known, env, awaitedOf(notes, known))
    const { usage } = isOfEarlier(recording.memo) ? await session.transcript(first.at) : {}
    const before = { calls: [], memo: { ...known, ...(usage && { usage }) }, ended: recording.ended }
    const { calls, memo, ended } = await settledBy(notes, session, before)
    const ids = notes.map(({ id }) => id)
    isSettled = state.settle(name, ids, calls, { memo, ended })
  }
}

/** How long after the end of a session the hook of its last turn may still come, in milliseconds. */
const overtakenMs = 1_000

/** Hooks run concurrently: the end of a session may overtake the end of its last turn. */
function inOrder(notes: Note[]): Note[] {
  const ordered: Note[] = []
  for (const note of notes) {
    const isLate = note.seen.step.kind === 'turn' && ordered.at(-1)?.seen.step.kind === 'end'
    ordered.splice(isLate ? -1 : ordered.length, 0, note)
  }
  return ordered
}

/** Until when to wait for the end of the last turn if only the end of the session has come; 0 if nothing is missing. */
function stopMayFollow(notes: Note[], { draft }: Memo): number {
  const last = notes.at(-1)
  const begins = notes.findLast(({ seen: { step } }) => step.kind === 'prompt' || step.kind === 'turn')
  const isOpen = begins ? begins.seen.step.kind === 'prompt' : draft?.prompt !== undefined
  return isOpen && last?.seen.step.kind === 'end' ? last.at + overtakenMs : 0
}

/** Adds what the documents say about the session itself to the memo. */
function memoSeen(memo: Memo, notes: Note[]): Memo {
  const subagents = notes.flatMap(({ seen: { step } }) => (step.kind === 'subagent' ? (step.transcript ?? []) : []))
  const transcript = notes.findLast(({ seen }) => seen.transcript !== undefined)?.seen.transcript ?? memo.transcript
  const model = notes.findLast(({ seen }) => seen.model !== undefined)?.seen.model ?? memo.model
  return {
    ...memo,
    ...(transcript !== undefined && { transcript }),
    ...(model !== undefined && { model }),
    ...(subagents.length > 0 && { subagents: [...new Set([...(memo.subagents ?? []), ...subagents])].slice(-100) }),
  }
}

function sessionOf(
  state: State,
  recording: Recording,
  { transcript, subagents }: Memo,
  env: Env,
  awaited: Awaited | undefined,
): Session {
  const agent = recording.agent ?? 'unknown'
  const read = (before?: number) =>
    transcript === undefined ? Promise.resolve({}) : readTranscript(agent, transcript, subagents, before)
  let told: Promise<Told> | undefined
  return {
    state,
    recording,
    agent,
    objects: objectsOf(env, recording.name),
    rules: recordRules(recording.cwd),
    transcript: (until) => {
      if (until !== undefined) return read(until).catch(() => ({}))
      told ??= (awaited ? toldWith(awaited, read) : read()).catch(() => ({}))
      return told
    },
  }
}

async function settledBy(notes: Note[], session: Session, before: Settled): Promise<Settled> {
  let settled = before
  for (const [at, note] of notes.entries()) {
    const step = await withoutSecrets(stepOf(note.seen), mask)
    const later = notes.slice(at + 1)
    const next = later.find(({ seen }) => seen.step.kind === 'prompt')
    settled = await after({ ...note, step, until: next?.at }, session, settled)
  }
  return settled
}

/** A note to send. */
interface Given extends Note {
  step: Step
  /** When the next prompt came, if one did: what the transcript says later is not about this note. */
  until: number | undefined
}

async function after(note: Given, session: Session, settled: Settled): Promise<Settled> {
  const { step, at, seen, until } = note
  const trees = (note.git ?? {}) as Trees
  const draft = withStep(settled.memo.draft ?? newDraft(at, settled.memo.plan), step, at)
  const isOpen = settled.memo.draft !== undefined && !isEmpty(settled.memo.draft)
  switch (step.kind) {
    case 'prompt': {
      const how =
        trees.isLeft && isOpen ? { failure: gone } : isQueued(seen, settled.memo.draft) ? { interrupted: false } : {}
      const before = await leftOpen(session, settled, { ...how, at, until: at })
      // If the hook could not take the tree, a late one is better than none.
      const base = before.memo.base ?? trees.now ?? snapshot(session.recording.cwd, session.objects)
      const draft = promptedDraft(before.memo.draft, { ...seen, step }, at, before.memo.plan)
      const { rules: _, ...rest } = before.memo
      const used = await usedBefore(session, rest, at)
      const memo = { ...rest, ...used, ...(base && { base }), ...(trees.rules && { rules: trees.rules }), draft }
      return begun(session, { ...before, memo }, { at, prompt: step.text })
    }
    case 'turn': {
      const rules = trees.rules && stricter(trees.rules, settled.memo.rules)
      const begun = { ...settled, memo: { ...settled.memo, ...(rules && { rules }) } }
      return turned(session, begun, { ...step, ...(await wordsOf(note, step, session)), at, until, now: trees.now })
    }
    case 'end': {
      const { failure, interrupted, isGone } = step
      const how = isGone && isOpen ? { failure: gone } : { failure, interrupted }
      const last = await leftOpen(session, settled, { ...how, at, until })
      return ended(session, last, at, until)
    }
    case 'tool': {
      const from = trees.began ?? at - (step.durationMs ?? at - (settled.memo.draft?.at ?? at))
      const commands = [...(settled.memo.commands ?? []), ...(step.command ? [{ from, to: at, ...trees }] : [])]
      const memo = { ...settled.memo, draft, commands: commands.slice(-500) }
      const use = { cwd: seen.cwd, trees, step }
      return checksOf(use, session, withWork(use, session, { ...settled, memo }))
    }
    default:
      return { ...settled, memo: { ...settled.memo, draft } }
  }
}

/** The answer of a turn whose hook has none. The transcript knows only that of the last turn. */
async function wordsOf({ until }: Given, { answer, failure, interrupted }: TurnEnd, session: Session) {
  if (until !== undefined || answer !== undefined || failure || interrupted) return {}
  const told = await session.transcript()
  return told.answer === undefined ? {} : { answer: await mask(told.answer) }
}

/** Deletes the snapshots of deleted sessions. */
export function forgetObjects(state: State, env: Env) {
  const folder = objectsOf(env)
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder)) {
    if (!state.find(name)) rmSync(join(folder, name), { recursive: true, force: true })
  }
}
