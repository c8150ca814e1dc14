import { hash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { placeOf } from '../../place/connect.ts'
import type { Env } from '../../place/folders.ts'
import { withCurrentKey } from '../../place/profile.ts'
import { declaredProject } from '../../place/project.ts'
import { fieldsIn, type JsonFields } from '../../recorder/agents/fields.ts'
import { answerOf, readDocument } from '../../recorder/agents/read.ts'
import type { Seen } from '../../recorder/agents/seen.ts'
import { agentProcessOf } from '../spool/process.ts'
import type { NewRecording } from '../spool/recordings.ts'
import type { Spool } from '../spool/state.ts'
import { stateOf } from '../spool/state-file.ts'
import { noteStep, type ReceivedReport } from './note.ts'
import { launched, wakeSync } from './senders.ts'

// A hook loads only the imports above. Keep them few: an agent waits for each hook.

/** The most time a document may take to arrive, in milliseconds, and its largest size. */
const most = { ms: 2_000, characters: 16_000_000 }
/** How long an agent waits for git in one hook, in milliseconds. */
export const gitMs = 1_600

/**
 * Stores what the document on `input` reports about a session. Returns what to print: nothing, or what the agent `name`
 * accepts as having no opinion. Never throws: an agent must not stumble over Conduct.
 */
export async function observe(
  name: string,
  input: Readable,
  env: Env,
  { wake = wakeSync, withinMs = gitMs } = {},
): Promise<string> {
  const at = Date.now()
  try {
    const hook = { agent: name, document: await documentFrom(input), env, at, process: process.pid }
    let state: Spool | undefined
    try {
      const open = () => {
        state = stateOf(env)
        return state
      }
      const { isOurs, isDue } = await noteDocument(hook, open, withinMs)
      if (isDue || (isOurs && env[launched])) wake(env)
    } finally {
      state?.close()
    }
  } catch (error) {
    // The session continues without a record.
    const { keepMissed } = await import('./missed.ts')
    keepMissed(env, name, (error as Error).message)
  }
  return answerOf(name)
}

/** A hook document and what else its process knows. */
interface Hook {
  /** The agent whose hooks it came through. */
  agent: string
  document: JsonFields
  env: Env
  /** When it came, in milliseconds since 1970. */
  at: number
  /** The number of the process that the agent started for it. */
  process: number
}

/** What became of a document: whether its session is one to record, and whether to send something now. */
interface Noted {
  isOurs: boolean
  isDue: boolean
}

/** Stores what a document reports in the state, which is opened if needed. */
export async function noteDocument(
  { agent, document, env, at, process }: Hook,
  open: () => Spool,
  withinMs = gitMs,
): Promise<Noted> {
  const seen = await completed(readDocument(agent, document, env))
  if (seen.length === 0) return { isOurs: false, isDue: false }
  const state = open()
  let until: number | undefined
  const leftForGit = () => {
    until ??= performance.now() + withinMs
    return until - performance.now()
  }
  const digest = hash('sha256', JSON.stringify(document))
  // All reports of a document belong to one session.
  const recordings = seen.map((one) => ({ seen: one, recording: recordingOf(one, state, env, process) }))
  const heard = recordings.flatMap(({ seen, recording }, index): ReceivedReport[] =>
    recording ? [{ seen, recording, at, leftForGit, digest: `${digest} ${index}` }] : [],
  )
  const isDue = heard.map((one) => noteStep(state, one, env)).includes(true)
  return { isOurs: heard.length > 0, isDue }
}

/** Adds what the agent's hooks do not report. */
async function completed(seen: Seen[]): Promise<Seen[]> {
  if (seen[0]?.agent !== 'droid') return seen
  const { withUnheard } = await import('./unheard.ts')
  return withUnheard(seen)
}

/** The recording of the session; undefined if no conduct.json applies to the folder where it started. */
function recordingOf(
  { agent, session, cwd, step }: Seen,
  state: Spool,
  env: Env,
  pid: number,
): NewRecording | undefined {
  // It becomes part of the name of a recording and of a folder.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(session)) return undefined
  const name = `${agent.replace(/-code$/, '')}-${session}`
  const known = state.find(name)
  // A resumed session continues in another process, and maybe with another key.
  if (known && step.kind === 'prompt')
    return { ...known, place: withCurrentKey(known.place, env), agentProcess: agentProcessOf(pid) ?? null }
  if (known) state.prove(name, () => agentProcessOf(pid))
  if (known) return known
  if (declaredProject(cwd) === undefined) return undefined
  return {
    name,
    kind: 'hook',
    place: placeOf({}, env, cwd),
    cwd,
    session,
    agent,
    agentProcess: agentProcessOf(pid) ?? null,
  }
}

/** Reads one JSON object. Stops when it is complete, because not every agent closes the pipe. */
async function documentFrom(input: Readable): Promise<JsonFields> {
  const timer = setTimeout(() => input.destroy(), most.ms)
  try {
    let text = ''
    for await (const chunk of input.setEncoding('utf8')) {
      text += chunk
      if (text.length > most.characters) break
      if (!chunk.trimEnd().endsWith('}')) continue
      const document = fieldsIn(text)
      if (document) return document
    }
  } finally {
    clearTimeout(timer)
  }
  return {}
}
