import { hash, randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { type Agent, type Fields, fieldsOf, type Seen } from '../../agents/agent.ts'
import { agents } from '../../agents/agents.ts'
import { agentProcessOf } from '../../spool/process.ts'
import type { New } from '../../spool/recordings.ts'
import type { State } from '../../spool/state.ts'
import { placeOf } from '../place/connect.ts'
import type { Env } from '../place/folders.ts'
import { declaredProject } from '../place/project.ts'
import { stateOf } from './state.ts'
import { wakeSync } from './wake.ts'

// All that a hook loads stands above, and it must stay little: an agent waits for each hook.

/** How long a document may be on its way, in milliseconds, and how large it may be. */
const most = { ms: 2_000, characters: 16_000_000 }

/**
 * Notes what the document on `input` tells of a session, and answers what to print. Throws nothing: an agent must not
 * stumble over Conduct.
 */
export async function observe(name: string, input: Readable, env: Env, wake = wakeSync): Promise<string> {
  const agent = agents.find((one) => one.name === name)
  if (!agent) return ''
  try {
    const document = await documentFrom(input)
    const seen = agent.read(document)
    if (seen && note(agent, seen, document, env)) wake(env)
  } catch {
    // The session goes on without a record.
  }
  return agent.answer
}

/** Keeps what was seen; answers whether it should be sent now. */
function note(agent: Agent, seen: Seen, document: Fields, env: Env): boolean {
  const state = stateOf(env)
  try {
    const recording = recordingOf(agent, seen, state, env)
    if (!recording) return false
    // What is told twice (by hooks of the project and of the user, say) is the same document.
    const key = seen.id === undefined ? randomUUID() : hash('sha256', JSON.stringify(document))
    const isDue = seen.step.kind !== 'tool'
    state.note(recording, seen, key, isDue)
    return isDue
  } finally {
    state.close()
  }
}

/** The recording of the session; undefined where it began in a folder that no conduct.json enters into the ledger. */
function recordingOf(agent: Agent, { session, cwd, step }: Seen, state: State, env: Env): New | undefined {
  // It becomes the name of a recording, and of a folder.
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(session)) return undefined
  const name = `${agent.name}-${session}`
  const known = state.find(name)
  // A session that is resumed goes on in another process.
  if (known) return step.kind === 'prompt' ? { ...known, agentProcess: agentProcessOf() ?? null } : known
  if (declaredProject(cwd) === undefined) return undefined
  const agentProcess = agentProcessOf() ?? null
  return { name, kind: 'hook', place: placeOf({}, env, cwd), cwd, session, agentProcess }
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
