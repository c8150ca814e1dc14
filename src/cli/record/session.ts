import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Agent, Seen, Step, Usage } from '../../agents/agent.ts'
import { agents } from '../../agents/agents.ts'
import { mask } from '../../mask/mask.ts'
import type { Call } from '../../spool/calls.ts'
import type { Note } from '../../spool/notes.ts'
import type { Recording } from '../../spool/recordings.ts'
import type { State } from '../../spool/state.ts'
import { type Env, folders } from '../place/folders.ts'
import { changesBetween, type Snapshot, snapshot } from './changes.ts'
import { digestOf, emptyTurn, firstLine, isEmpty, type Turn, withStep } from './digest.ts'

/** What is kept of a session from one batch of notes to the next. */
export interface Memo {
  /** Whether its run was created. */
  begun?: boolean
  /** The working tree at its beginning. */
  base?: Snapshot
  /** The turn that goes on. */
  turn?: Turn
  /** Why the last turn failed, where it did. */
  failure?: string
  model?: string
  transcript?: string
  /** The sum of what the turns told, for an agent whose transcript tells nothing. */
  usage?: Usage
}

/** Seconds; each turn's end renews it, so a session that nobody hears of fails after as long. */
const leaseSeconds = 7_200

/** Makes calls of all that hooks noted, ready to be sent. What cannot be read now is said, and kept. */
export async function settleNotes(state: State, env: Env, say: (line: string) => void): Promise<void> {
  for (const name of state.noted()) {
    await settle(state, name, env).catch((error: Error) => say(`${name}: ${error.message}`))
  }
}

/** Makes calls of the notes of a session. Notes that another process is first with, while this one looks, are read again. */
async function settle(state: State, name: string, env: Env) {
  const agent = agents.find((one) => name.startsWith(`${one.name}-`))
  for (let isSettled = false; agent && !isSettled; ) {
    const recording = state.find(name)
    const notes = state.notes(name)
    if (!recording || notes.length === 0) return
    const session = { agent, recording, objects: join(objectsOf(env), name) }
    const told = { calls: [], memo: recording.memo as Memo, ended: recording.ended }
    const { calls, memo, ended } = await toldBy(notes, session, told)
    const ids = notes.map(({ id }) => id)
    isSettled = state.settle(name, ids, calls, { memo, ended })
  }
}

/** Where the objects of snapshots stand that git does not have: one folder per session. */
const objectsOf = (env: Env) => join(folders.state(env), 'objects')

/** Forgets the snapshots of sessions that are forgotten. */
export function forgetObjects(state: State, env: Env) {
  const folder = objectsOf(env)
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder)) {
    if (!state.find(name)) rmSync(join(folder, name), { recursive: true, force: true })
  }
}

interface Session {
  agent: Agent
  recording: Recording
  objects: string
}

interface Told {
  calls: Call[]
  memo: Memo
  ended: boolean
}

async function toldBy(notes: Note[], session: Session, before: Told): Promise<Told> {
  let told = before
  for (const { seen } of notes) {
    const step = await withoutSecrets(seen.step)
    told = await after(step, session, { ...told, memo: withSeen(told.memo, seen) })
  }
  return told
}

/** Text is masked before it is kept for long, and before it is sent. */
async function withoutSecrets(step: Step): Promise<Step> {
  if (step.kind === 'prompt') return { ...step, text: await mask(step.text) }
  if (step.kind === 'tool') {
    return { ...step, ...(step.command !== undefined && { command: await mask(step.command) }) }
  }
  return { ...step, ...(step.failure !== undefined && { failure: await mask(step.failure) }) }
}

function withSeen(memo: Memo, { transcript, model, step }: Seen): Memo {
  const used = step.kind === 'turn' ? step.usage : undefined
  return {
    ...memo,
    ...(transcript !== undefined && { transcript }),
    ...(model !== undefined && { model }),
    ...(used && {
      usage: {
        inputTokens: (memo.usage?.inputTokens ?? 0) + used.inputTokens,
        outputTokens: (memo.usage?.outputTokens ?? 0) + used.outputTokens,
      },
    }),
  }
}

async function after(step: Step, session: Session, told: Told): Promise<Told> {
  const turn = withStep(told.memo.turn ?? emptyTurn, step, session.recording.cwd)
  switch (step.kind) {
    case 'prompt':
      return begun(session, { ...told, memo: { ...told.memo, turn } }, step.text)
    case 'tool':
      return { ...told, memo: { ...told.memo, turn } }
    case 'turn':
      return turned(step.failure, session, told)
    case 'end': {
      const last = await turned(step.failure, session, told)
      if (!last.memo.begun || last.ended) return { ...last, ended: true }
      const message = last.memo.failure
      const end =
        message === undefined
          ? { status: 'completed' }
          : { status: 'failed', failure: { code: 'AGENT_FAILED', message: message.slice(0, 1_000) } }
      return { ...last, calls: [...last.calls, call('updateRun', end)], ended: true }
    }
  }
}

const call = (operation: Call['operation'], input: Call['input'], key: string = randomUUID()): Call => ({
  operation,
  input,
  key,
})

/** With a run in progress: a new one for a new session, the same one again for a session that is taken up. */
function begun({ agent, recording, objects }: Session, told: Told, prompt: string): Told {
  const { calls, memo, ended } = told
  if (memo.begun && !ended) return told
  const { name, cwd } = recording
  const base = memo.base ?? snapshot(cwd, objects)
  const run = {
    title: firstLine(prompt, 70) || `A session of ${agent.title}`,
    agent: agent.agent,
    where: { host: hostname(), cwd, session: name.slice(agent.name.length + 1) },
    ...(base && { git: base.git }),
    leaseSeconds,
  }
  const next = memo.begun
    ? call('updateRun', { status: 'in_progress', leaseSeconds })
    : // The session's own key: also a machine that forgot the session does not make a second run of it.
      call('createRun', run, name)
  return { calls: [...calls, next], memo: { ...memo, begun: true, base }, ended: false }
}

/** The end of a turn: what happened in it, and what the session comes to so far. Nothing where nothing happened. */
async function turned(failure: string | undefined, session: Session, before: Told): Promise<Told> {
  const { turn = emptyTurn } = before.memo
  if (isEmpty(turn) && failure === undefined) return before
  const { calls, memo } = begun(session, before, turn.prompts[0] ?? '')
  const { turn: _, failure: __, ...rest } = memo
  const facts = await factsOf(session, memo)
  return {
    calls: [...calls, call('appendToRun', { text: digestOf(turn, failure) }), ...facts],
    memo: { ...rest, ...(failure !== undefined && { failure }) },
    ended: false,
  }
}

async function factsOf({ agent, recording }: Session, { transcript, usage, model, base }: Memo): Promise<Call[]> {
  const used = (transcript !== undefined && (await agent.usageOf?.(transcript).catch(() => undefined))) || usage
  const by = used?.model ?? model
  const facts = {
    ...((used || by) && { usage: { ...used, ...(by && { model: by }) } }),
    ...(base && gitSince(base, recording.cwd)),
  }
  return Object.keys(facts).length > 0 ? [call('updateRun', facts)] : []
}

function gitSince(base: Snapshot, cwd: string) {
  const scratch = mkdtempSync(join(tmpdir(), 'conduct-objects-'))
  try {
    const now = snapshot(cwd, scratch)
    const changes = now && changesBetween(base, now)
    return { ...(now && { git: { ...now.git, base: base.git.commit } }), ...(changes && { changes }) }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
