import { setTimeout as sleep } from 'node:timers/promises'
import { mask, maskDeep } from '../../mask/mask.ts'
import type { Env } from '../../place/folders.ts'
import { snapshot } from '../../place/git/tree.ts'
import { sessionRecordRules } from '../../place/rules.ts'
import { TooLarge } from '../../recorder/agents/lines.ts'
import { withoutSecrets } from '../../recorder/agents/secrets.ts'
import type { Transcript } from '../../recorder/agents/seen.ts'
import { shortOf } from '../../recorder/agents/tools.ts'
import { readTranscript } from '../../recorder/agents/transcript.ts'
import { isOfEarlier, memoOf, stepOf } from '../../recorder/earlier.ts'
import type { Stepped } from '../../recorder/facts.ts'
import { type Closing, type Memo, withSession } from '../../recorder/memo.ts'
import { close, overtakenMs, step } from '../../recorder/step.ts'
import type { Before, UnendedCommand } from '../../recorder/trees.ts'
import { newCall } from '../spool/calls.ts'
import type { Note } from '../spool/notes.ts'
import { type Recording, workFolder } from '../spool/recordings.ts'
import type { Spool } from '../spool/state.ts'
import { awaitedCommands, awaitedOf, readWithCommands, readWithEnd } from './awaited.ts'
import { factsOf, notedTrees, type SettlingSession } from './facts.ts'
import { commandTrees, objectsOf } from './note.ts'
import { withUnheard } from './unheard.ts'

/** Turns all notes of hooks into calls to send. Reports what cannot be read now, and keeps it. */
export async function settleNotes(state: Spool, env: Env, say: (line: string) => void): Promise<void> {
  state.endLost()
  await settleAll(state, env, say)
  const deserted = state.deserted()
  if (deserted.length === 0) return
  // The hook of the last turn's end may still come.
  await sleep(overtakenMs)
  for (const session of deserted) state.endDeserted(session)
  await settleAll(state, env, say)
}

async function settleAll(state: Spool, env: Env, say: (line: string) => void) {
  for (const name of state.noted()) {
    await settle(state, name, env).catch((error: Error) => {
      state.update(name, { trouble: error.message })
      say(`${name}: ${error.message}`)
    })
  }
}

/**
 * Turns the notes of a session into calls. If another process settles some of them first, reads them again. Throws if
 * they cannot be read now.
 */
export async function settle(state: Spool, name: string, env: Env) {
  const beganAt = Date.now()
  for (let isSettled = false; !isSettled; ) {
    const recording = state.find(name)
    const notes = state.notes(name)
    const [first] = notes
    if (!recording || !first) return
    const memo = memoIn(recording, notes, first)
    const session = sessionOf(state, recording, memo, env, notes)
    const { usage } = isOfEarlier(recording.memo) ? await session.transcript(first.at) : {}
    const all = withLastCommands(notes, session, memo)
    const after = await steppedBy(session, { ...memo, ...(usage && { usage }) }, all)
    const { closing } = after.memo
    // By a clock that was set back, the session ends in the future.
    const lateMs = closing ? Math.min(closing.at, beganAt) + overtakenMs - Date.now() : 0
    if (lateMs > 0) {
      await sleep(lateMs)
      continue
    }
    const { memo: stepped, calls } = closing ? await closed(session, after, closing) : after
    // The hook of the last turn has come meanwhile.
    if (closing && state.notes(name).length > notes.length) continue
    const { owed = [], ...next } = stepped
    const queued = (await maskDeep(calls)).map(({ operation, input }) =>
      // The session's own key: also a machine that forgot the session does not make a second run of it.
      newCall(operation, input, operation === 'createRun' ? name : undefined),
    )
    const ids = notes.map(({ id }) => id)
    isSettled = state.settle(name, ids, queued, { memo: next, ended: next.ended === true, was: recording.memo }, owed)
  }
}

/** The stored memo, with what all notes say about the session itself. */
function memoIn({ memo, ended }: Recording, notes: Note[], first: Note): Memo {
  const known = notes.reduce((memo, { seen }) => withSession(memo, seen), memoOf(memo, first.at))
  return { ...known, ended }
}

function sessionOf(state: Spool, recording: Recording, memo: Memo, env: Env, notes: Note[]): SettlingSession {
  const awaited = awaitedOf(notes, memo)
  const commands = awaited ? undefined : awaitedCommands(notes)
  const { transcript, subagents } = memo
  const agent = recording.agent ?? 'unknown'
  const read = async (before?: number) =>
    transcript === undefined
      ? {}
      : unlessHeard(await readTranscript(agent, transcript, subagents, before), { state, recording })
  let reported: Promise<Transcript> | undefined
  return {
    state,
    recording,
    env,
    objects: objectsOf(env, recording.name),
    rules: sessionRecordRules(recording),
    transcript: (until) => {
      if (until !== undefined) return read(until).catch(unread)
      const now = () => (commands ? readWithCommands(commands, read) : read())
      reported ??= (awaited ? readWithEnd(awaited, read) : now()).catch(unread)
      return reported
    },
  }
}

/** What is known of a transcript that cannot be read. */
const unread = (error: Error): Transcript => (error instanceof TooLarge ? { isTooLarge: true } : {})

/** A transcript without those uses of tools that hooks reported after all. */
function unlessHeard(
  reported: Transcript,
  { state, recording }: Pick<SettlingSession, 'state' | 'recording'>,
): Transcript {
  const isHeard = (id: string | undefined) => id !== undefined && state.isNoted(recording.name, `tool ${id}`)
  const turns = reported.turns?.map(({ unheard, ...turn }) =>
    unheard ? { ...turn, unheard: unheard.filter(({ id }) => !isHeard(id)) } : turn,
  )
  return { ...reported, ...(turns && { turns }) }
}

async function steppedBy(session: SettlingSession, memo: Memo, notes: Note[]): Promise<Stepped> {
  let before: Stepped = { memo, calls: [] }
  for (const [index, note] of notes.entries()) {
    const seen = { ...note.seen, step: await withoutSecrets(stepOf(note.seen), mask) }
    const next = notes.slice(index + 1).find(({ seen }) => seen.step.kind === 'prompt')
    const given = { seen, at: note.at, trees: await notedTrees(before.memo, note, seen.step), until: next?.at }
    const after = step(before.memo, seen, await factsOf(session, before.memo, given))
    before = { memo: after.memo, calls: [...before.calls, ...after.calls] }
  }
  return before
}

/** Ends a session and its last turn, whose hook did not come. */
async function closed(session: SettlingSession, { memo, calls }: Stepped, { at, cut, now }: Closing): Promise<Stepped> {
  const { recording } = session
  const seen = { agent: '', session: '', cwd: recording.cwd, step: { kind: 'turn' } } as const
  const trees = { cut: cut ?? cutOff(session), ...(now && { now }) }
  const after = close(memo, await factsOf(session, memo, { seen, at, trees }))
  return { memo: after.memo, calls: [...calls, ...after.calls] }
}

/** The commands that ran when the agent's process ended. */
const cutOff = ({ state, recording }: SettlingSession): UnendedCommand[] =>
  state.unended(recording.name).map(({ began, git }) => ({ began, before: git as Before }))

/**
 * The notes of a session, with those of commands that failed just before its end. Droid runs no hook after them, nor at
 * its end if it is killed.
 */
function withLastCommands(
  notes: Note[],
  { state, recording, objects }: { state: Spool; recording: Recording; objects: string },
  { transcript }: Memo,
): Note[] {
  const place = notes.findIndex(({ seen }) => seen.agent === 'droid' && seen.step.kind === 'end')
  const end = notes[place]
  if (!end || transcript === undefined) return notes
  const last = withUnheard([{ ...end.seen, transcript }]).flatMap((seen): Note[] => {
    const { step, id = '' } = seen
    if (step.kind !== 'tool' || step.command === undefined || state.isNoted(recording.name, id)) return []
    const begun = state.begun(recording.name, shortOf(step.command))
    const command = { ...step, command: step.command, begun }
    const take = () => snapshot(workFolder(recording), objects)
    return [{ ...end, seen, git: commandTrees(state, { seen, recording, at: end.at }, command, take).git }]
  })
  return notes.toSpliced(place, 0, ...last)
}
