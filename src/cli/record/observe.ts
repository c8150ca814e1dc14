import type { Readable } from 'node:stream'
import { type Fields, fieldsOf } from '../../agents/fields.ts'
import { answerOf, readDocument } from '../../agents/read.ts'
import type { Seen } from '../../agents/seen.ts'
import { agentProcessOf } from '../../spool/process.ts'
import type { New } from '../../spool/recordings.ts'
import type { State } from '../../spool/state.ts'
import { placeOf } from '../place/connect.ts'
import type { Env } from '../place/folders.ts'
import { declaredProject } from '../place/project.ts'
import { type Heard, noteStep } from './note.ts'
import { stateOf } from './state.ts'
import { wakeSync } from './wake.ts'

// All that a hook loads stands above, and it must stay little: an agent waits for each hook.

/** How long a document may be on its way, in milliseconds, and how large it may be. */
const most = { ms: 2_000, characters: 16_000_000 }

/**
 * Notes what the document on `input` reports of a session, and returns what to print: nothing, or what the agent `name` takes
 * for no opinion. Throws nothing: an agent must not stumble over Conduct.
 */
export async function observe(name: string, input: Readable, env: Env, wake = wakeSync): Promise<string> {
  const at = Date.now()
  try {
    const document = await documentFrom(input)
    const seen = readDocument(name, document, env)
    if (seen.length > 0 && noteAll(seen, at, env)) wake(env)
  } catch {
    // The session goes on without a record.
  }
  return answerOf(name)
}

/** Returns whether something should be sent now. */
function noteAll(seen: Seen[], at: number, env: Env): boolean {
  const state = stateOf(env)
  try {
    // All are of one document, and so of one session.
    const recordings = seen.map((one) => ({ seen: one, recording: recordingOf(one, state, env) }))
    const heard = recordings.flatMap(({ seen, recording }): Heard[] => (recording ? [{ seen, recording, at }] : []))
    return heard.map((one) => noteStep(state, one, env)).includes(true)
  } finally {
    state.close()
  }
}

/** The recording of the session; undefined where it began in a folder that no conduct.json enters into the ledger. */
function recordingOf({ agent, session, cwd, step }: Seen, state: State, env: Env): New | undefined {
  // It becomes the name of a recording, and of a folder.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(session)) return undefined
  const name = `${agent.replace(/-code$/, '')}-${session}`
  const known = state.find(name)
  // A session that is resumed goes on in another process.
  if (known && step.kind === 'prompt') return { ...known, agentProcess: agentProcessOf() ?? null }
  if (known) state.prove(name, agentProcessOf)
  if (known) return known
  if (declaredProject(cwd) === undefined) return undefined
  return {
    name,
    kind: 'hook',
    place: placeOf({}, env, cwd),
    cwd,
    session,
    agent,
    agentProcess: agentProcessOf() ?? null,
  }
}

/** One JSON object. It ends where it is whole: not every agent closes the pipe. */
async function documentFrom(input: Readable): Promise<Fields> {
  const timer = setTimeout(() => input.destroy(), most.ms)
  try {
    let text = ''
    for await (const chunk of input.setEncoding('utf8')) {
      text += chunk
      if (text.length > most.characters) break
      if (!text.trimEnd().endsWith('}')) continue
      const document = parsed(text)
      if (document) return document
    }
  } finally {
    clearTimeout(timer)
  }
  return {}
}

function parsed(text: string): Fields | undefined {
  try {
    return fieldsOf(JSON.parse(text))
  } catch {
    return undefined
  }
}
