import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { stripVTControlCharacters } from 'node:util'
import { spanOf } from '../../contract/span.ts'
import { mask } from '../../mask/mask.ts'
import type { Env } from '../../place/folders.ts'
import type { Place } from '../../place/place.ts'
import { commandLine } from '../../terminal/text.ts'
import { settle, settleNotes } from '../hook/session.ts'
import { type Whose, whoseRun } from '../hook/whose-run.ts'
import type { QueuedCall } from '../spool/calls.ts'
import { deliver } from '../spool/deliver.ts'
import { agentProcessOf, ancestorsOf } from '../spool/process.ts'
import type { Recording } from '../spool/recordings.ts'
import { patienceMs, reconnect } from '../spool/sender.ts'
import type { Spool } from '../spool/state.ts'
import { type ChildResult, runChild } from './child.ts'
import { createTail } from './lines.ts'
import { createOutput } from './output.ts'

type Here = Exclude<Whose, { kind: 'session' }> | { kind: 'session'; session: Recording }

/** Whose work this process does. The run in CONDUCT_RUN_ID belongs to a session if hooks on this machine record it. */
export function whoseHere(state: Spool, place: Place, env: Env): Here {
  const ancestors = ancestorsOf(process.pid).map(({ id }) => id)
  const whose = whoseRun(state, place, { env, ancestors, starter: agentProcessOf() })
  if (whose.kind !== 'run') return whose
  const session = state.open(place, { runId: whose.runId }).find(({ kind }) => kind === 'hook')
  return session ? { kind: 'session', session } : whose
}

/** The run of a session. If it is not in the ledger yet, sends it now; undefined if that does not succeed in time. */
export async function runOf(state: Spool, { name }: Pick<Recording, 'name'>, env: Env): Promise<string | undefined> {
  const runId = () => state.find(name)?.runId ?? undefined
  if (runId() !== undefined) return runId()
  await settleNotes(state, env, () => {})
  const late = sleep(patienceMs, undefined, { ref: false })
  const delivery = await Promise.race([deliver(state, name, { connect: (place) => reconnect(place, env) }), late])
  // Another process is sending it, or is about to.
  const isComing = () => delivery?.outcome === 'busy' || delivery?.outcome === 'sent'
  for (let waited = 0; isComing() && runId() === undefined && waited < patienceMs; waited += pauseMs) {
    await sleep(pauseMs)
  }
  return runId()
}

/** Sends what the hooks of a session noted before, so that what follows comes after what they saw. */
export async function catchUp(state: Spool, { name }: Pick<Recording, 'name'>, env: Env): Promise<void> {
  await settle(state, name, env).catch(() => {})
  const signal = AbortSignal.timeout(patienceMs)
  while (state.next(name) && !signal.aborted) {
    const { outcome } = await deliver(state, name, { connect: (place) => reconnect(place, env), signal })
    if (outcome !== 'busy') return
    await sleep(pauseMs)
  }
}

/** The pause before reading the state again, in milliseconds. */
const pauseMs = 50

/**
 * Adds a call to the recording of a session and sends what is queued. Reports what could not be sent. Throws an Error
 * if the session has no run.
 */
export async function addToSession(
  state: Spool,
  { name }: Pick<Recording, 'name'>,
  env: Env,
  call: Omit<QueuedCall, 'key'>,
  say: (words: string) => void,
): Promise<void> {
  if (!hasRun(state, name)) await settleNotes(state, env, say)
  if (!hasRun(state, name)) throw new Error('its session has no run yet')
  state.queue(name, { ...call, key: randomUUID() })
  const { outcome, words } = await deliver(state, name, { connect: (place) => reconnect(place, env) })
  if (words !== undefined && outcome !== 'busy') say(words)
  if (outcome === 'waiting') say('The record is not sent yet. It is stored, and conduct sync sends it.')
}

/** Whether the run of a recording exists, or the first queued call will create it. */
const hasRun = (state: Spool, name: string) =>
  Boolean(state.find(name)?.runId) || state.next(name)?.operation === 'createRun'

/** The most characters that a session keeps of one command's output. */
const tailLength = 32_768

interface SessionExec {
  state: Spool
  session: Recording
  env: Env
  /** Whether the command has the terminal, so its output is not recorded. */
  isInteractive: boolean
  say(words: string): void
}

/** Runs the command as part of the session: appends its output and result to the session's run. */
export async function execInSession(words: string[], options: SessionExec): Promise<number> {
  const { state, session, env, isInteractive, say } = options
  const runId = await runOf(state, session, env)
  const tail = createTail(tailLength)
  const output = createOutput({ isFull: () => false, put: tail.put })
  const ended = await runChild(words, {
    env: { ...env, CONDUCT_RUN_ID: runId },
    onOutput: isInteractive ? undefined : output.write,
  })
  process.exitCode = ended.exitCode
  if (ended.fault) say(ended.fault)
  try {
    await output.end()
    const text = chapterOf(await mask(commandLine(words)), ended, tail.text())
    await addToSession(state, session, env, { operation: 'appendToRun', input: { text } }, say)
    const made = state.find(session.name)?.runId
    if (made) say(`recorded in ${made}, the run of this session`)
  } catch (error) {
    say(`The command was not recorded: ${(error as Error).message}.`)
  }
  return ended.exitCode
}

/** The command as a Markdown section of a run, with its output in plain text. */
function chapterOf(command: string, { exitCode, durationMs, fault }: ChildResult, written: string): string {
  const plain = stripVTControlCharacters(fault ?? written).trimEnd()
  const end = `It ended with exit code ${exitCode} after ${spanOf(durationMs)}.`
  return `\n${fenced(command, 'sh')}\n${end}\n${plain === '' ? '' : `\n${fenced(plain, 'text')}`}`
}

/** A code block whose fence is longer than any in the text. */
function fenced(text: string, language: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map(({ length }) => length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${text}\n${fence}\n`
}
