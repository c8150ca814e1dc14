import { hash } from 'node:crypto'
import { defined, type JsonFields, textOf } from './fields.ts'
import type { Seen, Step } from './seen.ts'

export type AgentEnv = Record<string, string | undefined>

/** How an agent reports what it does. */
export interface AgentDialect {
  /** Its name in commands: `conduct hook claude`. */
  name: string
  /** Whether only this agent writes such a document, whichever agent's hooks ran. */
  owns(document: JsonFields, env: AgentEnv): boolean
  /** Whether this agent may have written a document without any agent's marks that came through its own hooks. */
  mayWrite(document: JsonFields): boolean
  /** Whether it runs other agents' hooks in addition to its own, so their documents must not be read twice. */
  onlyByOwnHooks?: true
  /**
   * Whether it reports every wait for a person. The time between the hooks of a tool is then the duration of the tool.
   */
  tellsWaits?: true
  /** Whether it reports the end of each turn, also of an interrupted one, as long as its process lives. */
  tellsEnds?: true
  /** What the document reports, usually one thing; empty if it says nothing about the work. */
  read(document: JsonFields, env: AgentEnv): Seen[]
}

/** What each event reports, by its name. */
export type EventReaders = Record<string, (document: JsonFields) => Step | Step[] | undefined>

/** Which fields of a document contain session, folder and event. */
interface Head {
  agent: string
  session: string | undefined
  cwd: string | undefined
  transcript?: string
  model?: string
  version?: string
  subagent?: Seen['subagent']
}

/** One `Seen` per step; empty without a session or a folder, because it then belongs to no run. */
export function seenOf(
  { session, cwd, ...head }: Head,
  document: JsonFields,
  steps: Step | Step[] | undefined,
): Seen[] {
  if (!session || !cwd) return []
  let digest: string | undefined
  const digestOf = () => (digest ??= hash('sha256', JSON.stringify(document)))
  return [steps ?? []].flat().map((step) => {
    const turn = textOf(document.prompt_id ?? document.turn_id, 200)
    return defined({ ...head, session, cwd, step, id: idOf(document, step, digestOf), turn })
  })
}

/**
 * The same report gets the same id, even from two hooks. A tool has its own id. Other documents count as the same if
 * they are identical and contain something that distinguishes them from the next one of their kind.
 */
function idOf(document: JsonFields, step: Step, digestOf: () => string): string | undefined {
  const { tool_use_id, prompt_id, turn_id, generation_id, timestamp } = document
  if (step.kind === 'tool' && step.id !== undefined) return `tool ${step.id}`
  if ([tool_use_id, prompt_id, turn_id, generation_id, timestamp].every((one) => one === undefined)) return undefined
  return `${step.kind} ${digestOf()}`
}

/** Reads a document with the reader of its event; undefined for unlisted events. */
export function stepsOf(events: EventReaders, document: JsonFields): Step | Step[] | undefined {
  const event = textOf(document.hook_event_name ?? document.hookEventName) ?? ''
  return Object.hasOwn(events, event) ? events[event]?.(document) : undefined
}
